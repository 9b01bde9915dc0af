import { isMetered } from '../billing/metered.ts'
import { invalid } from '../errors.ts'
import { bool, integer, type Params, required, shape } from '../http/schema.ts'
import type { CheckoutRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { PricedParams } from './checkout-fields.ts'

/** "By default this value is 99. You can specify a value up to 999999." */
export const adjustableParam = shape({
  enabled: required(bool),
  maximum: integer({ min: 1, max: 999_999 }),
  minimum: integer({ min: 0, max: 999_999 }),
})

type Adjustable = Params<(typeof adjustableParam)['fields']>
type Lines = NonNullable<PricedParams['line_items']>

/** As it is shown, with the limits that nobody gave. https://docs.stripe.com/payments/checkout/adjustable-quantity */
export function shownAdjustable(given: Adjustable | undefined) {
  if (given === undefined) return null
  return { enabled: given.enabled, maximum: given.maximum ?? 99, minimum: given.minimum ?? 0 }
}

/**
 * "When using adjustable quantities with a quantity value greater than 99 (the default adjustable maximum), set
 * `adjustable_quantity.maximum` to be greater than or equal to that item's quantity."
 */
export function checkAdjustable(given: Adjustable | undefined, quantity: number, at: string): void {
  const limits = shownAdjustable(given)
  if (limits?.enabled !== true) return
  if (limits.minimum > limits.maximum) {
    throw invalid(
      '`adjustable_quantity.minimum` must not be greater than `adjustable_quantity.maximum`.',
      `${at}[adjustable_quantity][minimum]`,
    )
  }
  if (quantity >= limits.minimum && quantity <= limits.maximum) return
  throw invalid(
    `The quantity must be between ${limits.minimum} and ${limits.maximum}, the limits of \`adjustable_quantity\`.`,
    `${at}[quantity]`,
  )
}

/** What a line buys at first: usage has no quantity. The messages as recorded of Stripe. */
export function checkQuantity(
  world: World,
  { price, quantity }: Pick<Lines[number], 'price' | 'quantity'>,
  at: string,
): void {
  const metered = isMetered(world.prices.must(price))
  if (metered && quantity !== undefined) {
    throw invalid(
      `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`${at}\``,
      `${at}[quantity]`,
    )
  }
  if (!metered && quantity === undefined) {
    throw invalid(`Quantity is required. Add \`quantity\` to \`${at}\``, `${at}[quantity]`)
  }
}

/** What a person changes of what is bought. */
export interface Choice {
  /** By the id of a line item; 0 takes it out. */
  readonly quantities?: Readonly<Record<string, number>> | undefined
  /** How many of an optional item are added, by its price. */
  readonly optionalItems?: Readonly<Record<string, number>> | undefined
}

/** The lines as the page leaves them: "If your customer removes a line item, it is also removed from the line items response." */
export function chosenLines(world: World, session: CheckoutRow, choice: Choice): Lines {
  const { line_items: lines = [], optional_items: offered = [] } = session.own.params
  const stranger = Object.keys(choice.quantities ?? {}).find((id) => !lines.some((line) => line.id === id))
  if (stranger !== undefined) throw invalid(`No such line item: '${stranger}'`, 'quantities')
  const kept = lines.flatMap((line) => {
    const quantity = choice.quantities?.[line.id]
    if (quantity === undefined || quantity === line.quantity) return [line]
    refuseOutside(line.adjustable_quantity, quantity)
    return quantity === 0 ? [] : [{ ...line, quantity }]
  })
  // "Checkout prevents the customer from removing an item if it's the only item remaining."
  const isRecurring = ({ price }: Lines[number]) => world.prices.must(price).recurring !== null
  if (kept.length === 0 || (session.mode === 'subscription' && !kept.some(isRecurring))) {
    throw invalid('The only item that remains cannot be removed.', 'quantities')
  }
  const added = Object.entries(choice.optionalItems ?? {}).flatMap(([price, quantity]) => {
    const item = offered.find((one) => one.price === price)
    if (item === undefined) throw invalid(`No such optional item: '${price}'`, 'optional_items')
    if (quantity === 0) return []
    if (quantity !== item.quantity) refuseOutside(item.adjustable_quantity, quantity)
    return [
      {
        id: world.ids.next('li'),
        price,
        quantity,
        adjustable_quantity: item.adjustable_quantity,
        metadata: {},
      },
    ]
  })
  return [...kept, ...added]
}

function refuseOutside(given: Adjustable | undefined, quantity: number): void {
  const limits = shownAdjustable(given)
  if (limits?.enabled !== true) throw invalid('The quantity of this item is fixed.', 'quantities')
  if (Number.isInteger(quantity) && quantity >= limits.minimum && quantity <= limits.maximum) return
  throw invalid(`The quantity must be between ${limits.minimum} and ${limits.maximum}.`, 'quantities')
}
