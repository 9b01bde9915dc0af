/** Where results go: text for people, one JSON document for programs. Progress and failures go to stderr. */
export class Output {
  readonly json: boolean

  constructor({ json }: { json: boolean }) {
    this.json = json
  }

  /** The result of a command: `value` with --json, else what `render` makes of it. */
  result<T>(value: T, render: (value: T) => string): void {
    const text = this.json ? JSON.stringify(value, null, 2) : render(value)
    if (text !== '') process.stdout.write(`${text}\n`)
  }
}
