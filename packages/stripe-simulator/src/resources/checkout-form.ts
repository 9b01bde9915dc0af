import { invalid } from '../errors.ts'
import type { CheckoutRow } from '../rows.ts'
import { whole } from '../rules/whole-address.ts'
import type { World } from '../world.ts'
import { amountsOf, shownAmounts, taxOf } from './checkout-amounts.ts'
import type { Answered, Answers } from './checkout-answers.ts'
import { saveToCustomer } from './checkout-buyer.ts'
import { shownDiscounts } from './checkout-lines.ts'
import { type Choice, chosenLines } from './checkout-quantities.ts'

/** What a person does on the page. */
export interface Completion extends Answers, Choice {
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

/**
 * The session with what was filled in: what is bought and a code change what is due, and so does a place where tax is
 * automatic.
 */
export function filledIn(
  world: World,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
): CheckoutRow {
  if (session.mode === 'setup') return session
  refuseNoAddress(session, how)
  saveToCustomer(world, session, how, answered)
  const { params } = session.own
  const next = {
    ...params,
    line_items: chosenLines(world, session, how),
    ...(how.promotionCode === undefined
      ? {}
      : { discounts: [{ promotion_code: codeOf(world, session, how.promotionCode) }] }),
  }
  const automatic = params.automatic_tax?.enabled === true
  const isChanged =
    how.promotionCode !== undefined || how.quantities !== undefined || how.optionalItems !== undefined
  if (!isChanged && !automatic) return session
  const address = how.address === undefined ? undefined : whole(how.address)
  const buyer = { customer: session.customer as string, address, shipping: answered.shipping as never }
  const sums = amountsOf(world, next, buyer)
  if (automatic && sums.taxStatus !== 'complete') {
    throw invalid('An address is needed to calculate tax.', 'address')
  }
  return world.checkouts.patch(session.id, {
    ...shownAmounts(sums),
    automatic_tax: taxOf(next, sums),
    discounts: shownDiscounts(next.discounts),
    own: { ...session.own, params: next, items: sums.items },
  } as Partial<CheckoutRow>)
}

/** "Checkout always collects the customer's billing address." https://docs.stripe.com/api/checkout/sessions/create */
function refuseNoAddress(session: CheckoutRow, { address }: Completion): void {
  if (session.billing_address_collection !== 'required' || address?.country !== undefined) return
  throw invalid('A billing address is required.', 'country', 'parameter_missing')
}

function codeOf(world: World, session: CheckoutRow, code: string): string {
  if (session.allow_promotion_codes !== true) {
    throw invalid('This session takes no promotion codes.', 'promotion_code')
  }
  return codeNamed(world, code)
}

/** The promotion code that customers know by this name. */
export function codeNamed(world: World, code: string): string {
  const known = world.promotionCodes.by('code', code.toLowerCase()).find((row) => row.active)
  if (known === undefined) throw invalid('This code is invalid.', 'promotion_code', 'resource_missing')
  return known.id
}
