import { existsSync, readFileSync } from 'node:fs'

/** The fields of an interface of the client's declarations, each with its type as it is written. */
type Fields = ReadonlyMap<string, string>

const resources = new URL('./resources/', import.meta.resolve('stripe'))

/** A parameter as it is declared: the steps to it, each with whether it is a list. */
export type Path = readonly { readonly name: string; readonly isList: boolean }[]

/** What a refusal calls a parameter, `[]` standing for any place in a list: `lines[][price_data]`. */
export function nameOf(path: Path): string {
  return path
    .map(({ name, isList }, i) => {
      const list = isList && i < path.length - 1 ? '[]' : ''
      return (i === 0 ? name : `[${name}]`) + list
    })
    .join('')
}

/**
 * Every parameter that the installed `stripe` package declares for an operation, nested ones behind those that they
 * stand in; `deeper` says of each whether what stands in it is asked for.
 */
export function* declaredParameters(operation: string, deeper: (path: Path) => boolean): Generator<Path> {
  const steps = operation.split('.')
  const verb = steps.pop() as string
  const file = new URL(
    `${steps.map((step) => step.charAt(0).toUpperCase() + step.slice(1)).join('/')}.d.ts`,
    resources,
  )
  if (!existsSync(file)) return
  const text = readFileSync(file, 'utf8')
  const interfaces = interfacesOf(text)
  const named = (name: string) =>
    interfaces.get(name) ?? [...interfaces].find(([full]) => full.endsWith(`.${name}`))?.[1]
  const type = new RegExp(`^ {4}${verb}\\((?:.*, )?params\\??: ([\\w.]+)`, 'm').exec(text)?.[1]

  function* walk(fields: Fields, before: Path): Generator<Path> {
    for (const [name, written] of fields) {
      const path = [...before, { name, isList: written.includes('Array<') }]
      yield path
      if (!deeper(path)) continue
      for (const [, reference = ''] of written.matchAll(/\b([A-Z]\w*(?:\.[A-Z]\w*)+)\b/g)) {
        const inner = named(reference)
        if (inner !== undefined) yield* walk(inner, path)
      }
    }
  }
  const fields = type === undefined ? undefined : named(type.split('.').at(-1) as string)
  if (fields !== undefined) yield* walk(fields, [])
}

/** The interfaces of a file by their names, in the namespaces that they stand in: `CreateParams.Item`. */
function interfacesOf(text: string): Map<string, Fields> {
  const found = new Map<string, Fields>()
  const open: { name: string; fields?: Map<string, string> }[] = []
  for (const line of text.split('\n')) {
    const [, kind, name] =
      /^\s*(?:export )?(?:declare )?(namespace|interface|class) (\w+).*\{$/.exec(line) ?? []
    const [, field, type] = /^\s*(\w+)\??: (.+);$/.exec(line) ?? []
    if (kind !== undefined && name !== undefined) {
      const fields = kind === 'interface' ? new Map<string, string>() : undefined
      if (fields) found.set([...open.map((outer) => outer.name), name].join('.'), fields)
      open.push({ name, ...(fields && { fields }) })
    } else if (/^\s*\};?$/.test(line)) open.pop()
    else if (/^\s*[^*\s].*\{$/.test(line)) open.push({ name: '' })
    else if (field !== undefined && type !== undefined) open.at(-1)?.fields?.set(field, type)
  }
  return found
}
