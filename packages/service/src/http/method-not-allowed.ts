export type RouteTable = { readonly methods: readonly string[]; readonly url: string }[]

/** The methods an address takes; none where there is no such address. */
export function methodsOf(table: RouteTable, path: string): string[] {
  const matching = table.filter(({ url }) => matches(url, path))
  return [...new Set(matching.flatMap(({ methods }) => methods))].filter((method) => method !== 'HEAD').sort()
}

function matches(url: string, path: string): boolean {
  const wanted = url.split('/')
  const given = path.split('/')
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => part === given[i] || (part.startsWith(':') && given[i] !== ''))
  )
}
