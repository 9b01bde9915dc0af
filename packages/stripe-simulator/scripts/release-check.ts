import { objects } from '../declarations/objects.ts'
import { renderers } from '../src/registry.ts'
import { moduleOf } from './declared-releases.ts'

/** A module whose types hold every object of a version against what a release of the client declares. */
export function releaseCheck(major: number, version: string, newest: number): string {
  const lines = Object.entries(objects)
    .filter(([, { since = 0 }]) => major >= since)
    .map(([name, { declared, row }]) => {
      const shown =
        name in renderers ? `ReturnType<(typeof renderers)['${name}']>` : `Shown<Newest.${declared}>`
      const rendered = row === undefined ? shown : `Plain<rows.${row}>`
      return `  '${name}': given<Older<${rendered}, '${name}', '${version}'>>() satisfies Shown<Stripe.${declared}>,`
    })
  return `// Version ${version} against release ${major} of the client.
import type Newest from 'stripe'
import type Stripe from '${moduleOf(major, newest)}'
import type { Older, Plain } from '${PACKAGE}/declarations/older.ts'
import type { renderers } from '${PACKAGE}/src/registry.ts'
import type * as rows from '${PACKAGE}/src/rows.ts'
import type { Shown } from '${PACKAGE}/src/shown.ts'

declare function given<T>(): T
export type { Newest, Plain, renderers, rows }
export const release${major} = {
${lines.join('\n')}
}
`
}

/** From the cache under node_modules. */
const PACKAGE = '../../../packages/stripe-simulator'
