/** An OpenAPI document, as far as it matters here. */
interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> }
}

const INPUT = 'Input'

/**
 * Each schema arrives twice, `Plan` for what is answered and `PlanInput` for what is sent, because a
 * default makes them differ. Where they do not, and where only one of them is used, `Plan` alone stays.
 */
export function mergeEqualSchemas<D extends Document>(document: D): D {
  const schemas = document.components?.schemas ?? {}
  let equal = Object.keys(schemas).filter((name) => name + INPUT in schemas)
  for (;;) {
    // Two are equal when what they refer to is: those that are found to differ may part others.
    const merged = mergeReferences(schemas, equal)
    const still = equal.filter((name) => same(merged[name], merged[name + INPUT]))
    if (still.length === equal.length) break
    equal = still
  }
  const merged = mergeReferences(document, equal)
  const text = JSON.stringify(merged)
  const isUsed = (name: string) => text.includes(`"${reference(name)}"`)
  const onlySent = Object.keys(schemas).filter((name) => !isUsed(name) && isUsed(name + INPUT))
  const rest = mergeReferences(merged, onlySent)
  const all = rest.components?.schemas ?? {}
  const kept = Object.entries(all).flatMap(([name, schema]) => {
    if (onlySent.includes(name)) return [[name, all[name + INPUT]]]
    const isDropped = isInput(name, schemas) && (!isUsed(name) || onlySent.includes(withoutInput(name)))
    return isDropped ? [] : [[name, schema]]
  })
  return { ...rest, components: { ...rest.components, schemas: Object.fromEntries(kept) } }
}

const withoutInput = (name: string) => name.slice(0, -INPUT.length)

const isInput = (name: string, schemas: object) => name.endsWith(INPUT) && withoutInput(name) in schemas

const reference = (name: string) => `#/components/schemas/${name}`

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** The same value with references to `XInput` turned into such to `X`. */
function mergeReferences<T>(value: T, names: readonly string[]): T {
  const merged = new Map(names.map((name) => [reference(name + INPUT), reference(name)]))
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) =>
      key === '$ref' && typeof inner === 'string' ? (merged.get(inner) ?? inner) : inner,
    ),
  ) as T
}
