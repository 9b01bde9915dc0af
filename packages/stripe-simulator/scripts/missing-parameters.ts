import Stripe from 'stripe'
import { StripeError } from '../src/errors.ts'
import { type ClientOperation, keyOf } from '../src/http/gaps.ts'
import type { Route } from '../src/http/route.ts'
import { declaredParameters, nameOf, type Path } from './declared-parameters.ts'

/** Deeper than this, only types that contain themselves go on. */
const DEPTH = 5

/** The parameters that the client declares and no shape knows, by the key of their operation. */
export function parametersMissing(
  operations: readonly ClientOperation[],
  routes: readonly Route[],
): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const operation of operations) {
    const route = routes.find((candidate) => keyOf(candidate) === keyOf(operation))
    const lacks = new Set(route === undefined ? [] : missingIn(operation.name, route))
    if (lacks.size > 0) found.set(keyOf(operation), lacks)
  }
  return found
}

/** The same as the source of `src/http/client-operations/parameters.ts`: the simulator runs without the client. */
export function missingParametersModule(missing: ReadonlyMap<string, ReadonlySet<string>>): string {
  const lines = [...missing].map(([key, names]) => [key, ...names].join(' '))
  return `// Written by \`npm run coverage\` from version ${Stripe.PACKAGE_VERSION} of the \`stripe\` package.

/** What operations that are served lack of its parameters, an operation a line; \`[]\` stands for any place in a list. */
export const missingParameters = \`
${lines.join('\n')}
\`
`
}

function* missingIn(operation: string, route: Route): Generator<string> {
  // What is asked in the same way everywhere (paging, searching, expanding) is not a part of a shape.
  const common = ['expand', 'limit', 'starting_after', 'ending_before', 'page', 'query']
  const answer = (path: Path) => (common.includes(path[0]?.name ?? '') ? undefined : refusal(route, path))
  const deeper = (path: Path) => path.length < DEPTH && answer(path) === 'known'
  for (const path of declaredParameters(operation, deeper)) if (answer(path) === 'unknown') yield nameOf(path)
}

/** What the shape says of a parameter alone: unknown to it, a gap that it names, or neither. */
function refusal(route: Route, path: Path): 'unknown' | 'gap' | 'known' {
  const given = path.reduceRight<unknown>(
    (inner, { name, isList }, i) => ({ [name]: isList && i < path.length - 1 ? [inner] : inner }),
    '1',
  )
  try {
    route.params.parse(given as never, '')
  } catch (error) {
    if (!(error instanceof StripeError)) throw error
    if (error.body.code === 'simulator_gap') return 'gap'
    if (error.body.code === 'parameter_unknown') return 'unknown'
  }
  return 'known'
}
