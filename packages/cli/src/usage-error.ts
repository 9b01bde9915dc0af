/** The command was called wrongly: exit code 2, and what to write instead. */
export class UsageError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.name = 'UsageError'
    this.remedy = remedy
  }
}
