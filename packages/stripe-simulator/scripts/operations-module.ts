import Stripe from 'stripe'
import type { ClientOperation } from '../src/http/gaps.ts'

/** The source of `src/http/client-operations.ts`: the simulator runs without the `stripe` package. */
export function operationsModule(operations: readonly ClientOperation[]): string {
  const lines = operations.map(({ name, method, path }) => `${name} ${method} ${path}`)
  return `// Written by \`npm run coverage\` from version ${Stripe.PACKAGE_VERSION} of the \`stripe\` package.

/** Its operations, one a line: the name after \`stripe.\`, the verb and the path. */
export const clientOperations = \`
${lines.join('\n')}
\`
`
}
