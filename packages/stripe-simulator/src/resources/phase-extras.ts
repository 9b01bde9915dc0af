import { isPricedIn, worthOf } from '../billing/periods.ts'
import { invalid } from '../errors.ts'
import type { ScheduleRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { PricedItem } from './changed-items.ts'
import { type DiscountGiven, discountRefusal, type Redeemer } from './discounts.ts'
import type { Extra } from './extra-items.ts'
import { inlinePrice } from './inline-price.ts'
import { find } from './lookup.ts'
import { refuseArchived, refuseUnlessOnce } from './make-invoice-item.ts'
import { taxRatesOf } from './tax-rates.ts'

type Phase = ScheduleRow['phases'][number]

/** What a phase bills once, as it is kept: an inline price is made now, the item when the phase begins. */
export function extraRows(
  world: World,
  extras: readonly Extra[],
  of: { readonly customer: string; readonly currency: string },
  param: string,
): Phase['add_invoice_items'] {
  return extras.map((extra, i) => {
    const at = `${param}[add_invoice_items][${i}]`
    const { price_data: data } = extra
    const price =
      data === undefined
        ? find(world.prices, 'price', extra.price ?? '', `${at}[price]`)
        : inlinePrice(world, data, at)
    refuseUnlessOnce(price, `${at}[price]`)
    refuseArchived(price, `${at}[price]`)
    if (!isPricedIn(price, of.currency)) {
      throw invalid(`The price has no amount in ${of.currency}, the currency of the phase.`, `${at}[price]`)
    }
    const quantity = extra.quantity ?? 1
    const worth = () => worthOf(world, [{ price: price.id, quantity }], of.currency)
    refuseDiscounts(world, extra.discounts, { ...of, worth }, `${at}[discounts]`)
    const period = extra.period ?? {
      start: { type: 'max_item_period_start' },
      end: { type: 'min_item_period_end' },
    }
    return {
      ...(extra.discountable === undefined ? {} : { discountable: extra.discountable }),
      discounts: shownDiscounts(extra.discounts),
      metadata: extra.metadata ?? null,
      period,
      price: price.id,
      quantity,
      tax_rates: taxRatesOf(world, extra.tax_rates, `${at}[tax_rates]`),
    } as Phase['add_invoice_items'][number]
  })
}

/** The same as parameters, for the moment when the phase begins. */
export function extrasOf(world: World, phase: Phase, customer: string): Extra[] {
  const { currency } = phase
  return phase.add_invoice_items.map((row) => ({
    discountable: row.discountable ?? undefined,
    discounts: redeemable(world, row.discounts, {
      customer,
      currency,
      worth: () => worthOf(world, [{ price: row.price as string, quantity: row.quantity ?? 1 }], currency),
    }),
    metadata: row.metadata,
    period: row.period as Extra['period'],
    price: row.price as string,
    quantity: row.quantity ?? 1,
    tax_rates: (row.tax_rates ?? []).map(({ id }) => id),
  }))
}

/** What a phase names must be redeemable when it is planned, though it is redeemed later. */
export function refuseDiscounts(
  world: World,
  discounts: readonly DiscountGiven[] | null | undefined,
  of: Redeemer,
  param: string,
): void {
  for (const [i, given] of (discounts ?? []).entries()) {
    const refused = discountRefusal(world, given, of, `${param}[${i}]`)
    if (refused !== null) throw refused
  }
}

export function shownDiscounts(given: readonly DiscountGiven[] | null | undefined): Phase['discounts'] {
  return (given ?? []).map(({ coupon = null, discount = null, promotion_code = null }) => ({
    coupon,
    discount,
    promotion_code,
  }))
}

export function stretchOf({ start_date: start, end_date: end }: Phase): { start: number; end: number } {
  return { start, end }
}

/** An item of a phase without what else it says. */
export function pricedItem({ price, quantity }: Phase['items'][number]): PricedItem {
  return { price: price as string, quantity }
}

/** The discounts of a phase as parameters, without those that the customer cannot have any more. */
export function redeemable(world: World, given: Phase['discounts'], to: Redeemer): DiscountGiven[] {
  return given
    .map(({ coupon, promotion_code: code, discount }) => ({
      coupon: (coupon as string | null) ?? undefined,
      promotion_code: (code as string | null) ?? undefined,
      discount: (discount as string | null) ?? undefined,
    }))
    .filter((one) => discountRefusal(world, one, to, '') === null)
}
