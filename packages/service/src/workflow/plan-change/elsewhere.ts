import type { Accepted } from '../../contract/acceptance.ts'

/** Where something was agreed on that nobody asked us for: the provider's dashboard, portal or API. */
export const ELSEWHERE = 'provider'

/** Of what was agreed on there: which text was accepted, and where, nobody told us. */
export const nobodyAsked: Accepted = { termsVersion: null }
