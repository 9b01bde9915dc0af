import { oneOf, playedOf } from '../http/schema.ts'
import { METHOD_TYPES, UNPLAYED_TYPES } from '../rules/test-accounts.ts'

/** A kind of method that a payment may be made with. */
export const methodType = playedOf(METHOD_TYPES, UNPLAYED_TYPES)

/** A kind of method that is looked for: of what is not played there is none. */
export const anyMethodType = oneOf([...METHOD_TYPES, ...UNPLAYED_TYPES])
