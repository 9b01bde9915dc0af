import { gap, StripeError } from '../errors.ts'
import { missingParameters } from './client-operations/parameters.ts'
import { keyOf } from './gaps.ts'
import type { Route } from './route.ts'
import type { Raw } from './schema.ts'

/** By the operation's key. */
const missing = new Map<string, ReadonlySet<string>>()
for (const line of missingParameters.trim().split('\n')) {
  const [method, path, ...names] = line.split(' ')
  missing.set(`${method} ${path}`, new Set(names))
}

/**
 * What was asked, as the route's shape reads it. A name that the shape does not know is unknown to Stripe too, or is
 * missing here: then that is said, so that nobody looks for a mistake of their own.
 */
export function parsed(route: Route, given: Raw): ReturnType<Route['params']['parse']> {
  try {
    return route.params.parse(given, '')
  } catch (error) {
    if (!(error instanceof StripeError) || error.body.code !== 'parameter_unknown') throw error
    const { param = '' } = error.body
    if (!missing.get(keyOf(route))?.has(param.replace(/\[\d+\]/g, '[]'))) throw error
    throw gap(`the parameter ${param}`, param)
  }
}
