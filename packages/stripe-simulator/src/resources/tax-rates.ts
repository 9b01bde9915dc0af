import { refuseNowhere } from '../billing/automatic-tax.ts'
import { invalid } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  bool,
  clearable,
  decimal,
  gaps,
  list,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { Json, SubscriptionRow, TaxRateRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { find, findAs } from './lookup.ts'

const URL = '/v1/tax_rates'

const fields = {
  active: bool,
  country: text(2),
  description: text(),
  jurisdiction: text(200),
  metadata,
  state: text(2),
  tax_type: oneOf([
    'admissions_tax',
    'amusement_tax',
    'attendance_tax',
    'communications_tax',
    'digital_excise_tax',
    'entertainment_tax',
    'get_fund',
    'gross_receipts_tax',
    'gst',
    'hospitality_tax',
    'hst',
    'igst',
    'jct',
    'lease_tax',
    'luxury_tax',
    'mass_transit_parking_tax',
    'nhil',
    'parking_tax',
    'pst',
    'qst',
    'resort_tax',
    'retail_delivery_fee',
    'rst',
    'sales_tax',
    'service_tax',
    'tourism_tax',
    'utility_users_tax',
    'vat',
  ] as const),
}

/**
 * Rates that are set by hand. What they amount to never changes, and is what they are in effect: as recorded in
 * 2026-08-26.dahlia. https://docs.stripe.com/api/tax_rates
 */
export const taxRateRoutes = [
  post(
    URL,
    shape({
      ...fields,
      display_name: required(text(50)),
      inclusive: required(bool),
      percentage: required(decimal),
    }),
    ({ world, params }) => {
      const { metadata: labels, percentage, ...given } = params
      if (!/^\d+(\.\d{1,4})?$/.test(percentage) || Number(percentage) > 100) {
        throw invalid('`percentage` must be between 0 and 100, with at most 4 decimal places.', 'percentage')
      }
      const rate = world.taxRates.insert({
        object: 'tax_rate',
        active: true,
        country: null,
        created: world.now(null),
        description: null,
        effective_percentage: Number(percentage),
        flat_amount: null,
        jurisdiction: null,
        jurisdiction_level: null,
        livemode: false,
        percentage: Number(percentage),
        rate_type: 'percentage',
        state: null,
        tax_type: null,
        ...(defined(given) as typeof given & { tax_type?: TaxRateRow['tax_type'] }),
        id: world.ids.next('txr'),
        metadata: mergeMetadata({}, labels),
        own: { percent: percentage },
      } as TaxRateRow)
      world.emit('tax_rate.created', rate)
      return world.render(rate)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(rateOf(world, path()))),
  post(`${URL}/:id`, shape({ ...fields, display_name: text(50) }), ({ world, params, path }) => {
    const rate = rateOf(world, path())
    const { metadata: labels, ...changes } = params
    const next = world.taxRates.patch(rate.id, {
      ...defined(changes),
      metadata: mergeMetadata(rate.metadata ?? {}, labels),
    } as Partial<TaxRateRow>)
    world.emit('tax_rate.updated', next)
    return world.render(next)
  }),
  get(URL, shape({ ...paging, active: bool, created: range, inclusive: bool }), ({ world, params }) =>
    page(world.taxRates, params, {
      noun: 'tax rate',
      url: URL,
      where: null,
      matches: (row) =>
        (params.active === undefined || row.active === params.active) &&
        (params.inclusive === undefined || row.inclusive === params.inclusive) &&
        inRange(row.created, params.created),
      render: (row) => world.render(row),
    }),
  ),
]

function rateOf(world: World, id: string): TaxRateRow {
  return findAs('tax_rate', world.taxRates, 'tax rate', id)
}

/** Whether tax is calculated by the customer's place instead. https://docs.stripe.com/billing/taxes/collect-taxes */
export const automaticTaxParam = shape({ enabled: required(bool), ...gaps('liability') })

/** A parameter that names rates; empty text removes them. */
export const taxRatesParam = clearable(list(text(), 5))

/** The setting of a subscription. Without a place there is nothing to calculate. */
export function automaticTaxOf(
  world: World,
  customer: string,
  given: { enabled: boolean } | undefined,
): SubscriptionRow['automatic_tax'] {
  const enabled = given?.enabled ?? false
  if (enabled && !world.preview) refuseNowhere(world, customer)
  return taxSetting(enabled)
}

export function taxSetting(enabled: boolean): SubscriptionRow['automatic_tax'] {
  return { disabled_reason: null, enabled, liability: enabled ? { type: 'self' } : null }
}

type ShownRates = Omit<TaxRateRow, 'own'>[]

/** The named rates as they are shown. An archived one cannot be used anew. */
export function taxRatesOf(
  world: World,
  ids: readonly string[] | null | undefined,
  param: string,
  present: readonly unknown[] | null = [],
): ShownRates {
  const kept = new Set((present as { id: string }[] | null)?.map(({ id }) => id))
  return (ids ?? []).map((id, i) => {
    const rate = find(world.taxRates, 'tax rate', id, `${param}[${i}]`)
    if (!rate.active && !kept.has(id)) {
      throw invalid('The tax rate is archived and cannot be used for anything new.', `${param}[${i}]`)
    }
    return world.render(rate) as unknown as ShownRates[number]
  })
}

/** Rates inside another object, as they are now. */
export function renderRates(world: World, rates: readonly unknown[] | null | undefined): Json[] {
  if (rates == null || rates.length === 0) return []
  return (rates as { id: string }[]).map(({ id }) => world.render(world.taxRates.must(id)))
}
