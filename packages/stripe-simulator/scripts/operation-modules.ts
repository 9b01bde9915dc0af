import Stripe from 'stripe'
import type { ClientOperation } from '../src/http/gaps.ts'

/** The files of `src/http/client-operations/`, laid out as the client's own: by how its resources are reached. */
const files = {
  'resources.ts': { constant: 'ofResources', what: 'stripe.customers.create' },
  'namespaces.ts': { constant: 'ofNamespaces', what: 'stripe.billing.meters.create' },
  'v2.ts': { constant: 'ofV2', what: 'stripe.v2.core.events.list' },
} as const

type File = keyof typeof files

function fileOf({ name }: ClientOperation): File {
  if (name.startsWith('v2.')) return 'v2.ts'
  return name.split('.').length > 2 ? 'namespaces.ts' : 'resources.ts'
}

/** The client's operations as source, by file: the simulator runs without the `stripe` package. */
export function operationModules(operations: readonly ClientOperation[]): Map<File, string> {
  const sources = new Map<File, string>()
  for (const file of Object.keys(files) as File[]) {
    const { constant, what } = files[file]
    const lines = operations
      .filter((operation) => fileOf(operation) === file)
      .map(({ name, method, path }) => `${name} ${method} ${path}`)
    sources.set(
      file,
      `// Written by \`npm run coverage\` from version ${Stripe.PACKAGE_VERSION} of the \`stripe\` package.

/** Its operations such as \`${what}\`, one a line: the name after \`stripe.\`, the verb and the path. */
export const ${constant} = \`
${lines.join('\n')}
\`
`,
    )
  }
  return sources
}
