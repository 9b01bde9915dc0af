import { readFileSync } from 'node:fs'
import Stripe from 'stripe'

const declarations = new URL('resources/WebhookEndpoints.d.ts', import.meta.resolve('stripe'))

/** The events that an endpoint can ask for, in the client's order. */
export function eventNames(): string[] {
  const text = readFileSync(declarations, 'utf8')
  const union = /namespace WebhookEndpointCreateParams \{[\s\S]*?type EnabledEvent =([\s\S]*?);/.exec(
    text,
  )?.[1]
  if (union === undefined) throw new Error(`${declarations.pathname} declares no events`)
  return [...union.matchAll(/'([a-z0-9_.]+)'/g)].map(([, name]) => name as string)
}

/** The same as source: the simulator runs without the `stripe` package. */
export function eventNamesModule(names: readonly string[]): string {
  return `// Written by \`npm run coverage\` from version ${Stripe.PACKAGE_VERSION} of the \`stripe\` package.

/** What an endpoint can ask for, a name a line. */
export const eventNames = \`
${names.join('\n')}
\`
`
}
