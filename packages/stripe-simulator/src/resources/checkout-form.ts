import { invalid } from '../errors.ts'
import type { CheckoutRow, CustomerRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import type { World } from '../world.ts'
import { amountsOf, shownAmounts, taxOf } from './checkout-amounts.ts'
import { shownDiscounts } from './checkout-lines.ts'

/** What a person does on the page. */
export interface Completion {
  /** A `pm_card_*` token. */
  readonly card?: string | undefined
  /** The answer to a 3-D Secure challenge, should there be one. */
  readonly authenticate?: 'succeed' | 'fail' | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** Where the buyer lives, in the fields of an address. */
  readonly address?: Record<string, string> | undefined
  /** A code that customers know, as `SPRING`. */
  readonly promotionCode?: string | undefined
}

/** The session with what was filled in: a code changes what is due, and so does a place where tax is automatic. */
export function filledIn(world: World, session: CheckoutRow, how: Completion): CheckoutRow {
  if (session.mode === 'setup') return session
  saveDetails(world, session, how)
  const { params } = session.own
  const next =
    how.promotionCode === undefined
      ? params
      : { ...params, discounts: [{ promotion_code: codeOf(world, session, how.promotionCode) }] }
  if (next === params && params.automatic_tax?.enabled !== true) return session
  const address = blank(how.address)
  const sums = amountsOf(world, next, { customer: session.customer as string, address })
  if (params.automatic_tax?.enabled === true && sums.taxStatus !== 'complete') {
    throw invalid('An address is needed to calculate tax.', 'address')
  }
  return world.checkouts.patch(session.id, {
    ...shownAmounts(sums),
    automatic_tax: taxOf(next, sums),
    discounts: shownDiscounts(next.discounts),
    own: { ...session.own, params: next, items: sums.items },
  } as Partial<CheckoutRow>)
}

function blank(address: Record<string, string> | undefined) {
  if (address === undefined) return undefined
  return { city: null, country: null, line1: null, line2: null, postal_code: null, state: null, ...address }
}

/** `customer_update` lets the page change what the customer said before. */
function saveDetails(world: World, session: CheckoutRow, how: Completion): void {
  if (session.customer === null) return
  const { customer_update: update } = session.own.params
  const changes = defined({
    address: update?.address === 'auto' ? blank(how.address) : undefined,
    name: update?.name === 'auto' ? how.name : undefined,
  })
  if (Object.keys(changes).length === 0) return
  const next = world.customers.patch(session.customer as string, changes as Partial<CustomerRow>)
  world.emit('customer.updated', next)
}

function codeOf(world: World, session: CheckoutRow, code: string): string {
  if (session.allow_promotion_codes !== true) {
    throw invalid('This session takes no promotion codes.', 'promotion_code')
  }
  const known = world.promotionCodes.by('code', code.toLowerCase()).find((row) => row.active)
  if (known === undefined) throw invalid('This code is invalid.', 'promotion_code', 'resource_missing')
  return known.id
}
