import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  bool,
  decimal,
  either,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  type Params,
  range,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PriceRow, PriceTierRow } from '../rows.ts'
import { formatDecimal, parseDecimal } from '../rules/decimal.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { wholeAmount } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'
import { createProduct } from './make-product.ts'

const URL = '/v1/prices'
const INTERVALS = ['day', 'week', 'month', 'year'] as const
const TAX_BEHAVIORS = ['exclusive', 'inclusive', 'unspecified'] as const
/** Three years at most. */
const MAX_COUNT = { day: 1095, week: 156, month: 36, year: 3 }

export const currency = {
  parse: (raw: Parameters<ReturnType<typeof text>['parse']>[0], path: string) => {
    const value = text().parse(raw, path).toLowerCase()
    if (!/^[a-z]{3}$/.test(value)) throw invalid(`Invalid currency: ${value}.`, path)
    return value
  },
}

const recurringFields = {
  interval: required(oneOf(INTERVALS)),
  interval_count: integer({ min: 1 }),
}

const tier = shape({
  up_to: required(either(oneOf(['inf'] as const), integer({ min: 1 }))),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal,
  flat_amount: integer({ min: 0 }),
  flat_amount_decimal: decimal,
})

export const priceFields = {
  currency: required(currency),
  active: bool,
  billing_scheme: oneOf(['per_unit', 'tiered'] as const),
  lookup_key: text(200),
  transfer_lookup_key: bool,
  metadata,
  nickname: text(),
  product: text(),
  product_data: shape({
    name: required(text()),
    id: text(),
    active: bool,
    metadata,
    statement_descriptor: text(22),
    unit_label: text(),
    tax_code: text(),
  }),
  recurring: shape({
    ...recurringFields,
    usage_type: oneOf(['licensed', 'metered'] as const),
    ...gaps('meter', 'trial_period_days'),
  }),
  tax_behavior: oneOf(TAX_BEHAVIORS),
  tiers: list(tier, 100),
  tiers_mode: oneOf(['graduated', 'volume'] as const),
  transform_quantity: shape({
    divide_by: required(integer({ min: 1 })),
    round: required(oneOf(['up', 'down'] as const)),
  }),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal,
  ...gaps('currency_options', 'custom_unit_amount'),
}

type PriceParams = Params<typeof priceFields>

export const priceRoutes = [
  post(URL, shape(priceFields), ({ world, params }) => world.render(createPrice(world, params, false))),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.prices, 'price', path()))),
  post(
    `${URL}/:id`,
    shape({
      active: bool,
      lookup_key: text(200),
      transfer_lookup_key: bool,
      metadata,
      nickname: text(),
      tax_behavior: oneOf(TAX_BEHAVIORS),
      ...gaps('currency_options'),
    }),
    ({ world, params, path }) => {
      const price = find(world.prices, 'price', path())
      const { metadata: labels, transfer_lookup_key: transfer, ...changes } = params
      if (changes.lookup_key !== undefined && changes.lookup_key !== price.lookup_key) {
        claimLookupKey(world, changes.lookup_key, transfer ?? false)
      }
      if (
        changes.tax_behavior !== undefined &&
        price.tax_behavior !== 'unspecified' &&
        changes.tax_behavior !== price.tax_behavior
      ) {
        throw invalid(
          'You cannot update tax_behavior once it is set to inclusive or exclusive.',
          'tax_behavior',
        )
      }
      const next = world.prices.patch(price.id, {
        ...defined(changes),
        metadata: mergeMetadata(price.metadata, labels),
      } as Partial<PriceRow>)
      emitWithPlan(world, 'updated', next)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      active: bool,
      created: range,
      currency,
      lookup_keys: list(text(), 10),
      product: text(),
      recurring: shape({
        interval: oneOf(INTERVALS),
        usage_type: oneOf(['licensed', 'metered'] as const),
        ...gaps('meter'),
      }),
      type: oneOf(['one_time', 'recurring'] as const),
    }),
    ({ world, params }) => {
      // Archived prices come only when they are asked for. https://docs.stripe.com/api/prices/list
      const active = params.active ?? true
      const [key, ...others] = params.lookup_keys ?? []
      return page(world.prices, params, {
        url: URL,
        where:
          params.product !== undefined
            ? { index: 'product', key: params.product }
            : key !== undefined && others.length === 0
              ? { index: 'lookup_key', key }
              : null,
        matches: (row) =>
          !row.own.inline &&
          row.active === active &&
          (params.lookup_keys === undefined || params.lookup_keys.includes(row.lookup_key ?? '')) &&
          (params.currency === undefined || row.currency === params.currency) &&
          (params.type === undefined || row.type === params.type) &&
          (params.recurring?.interval === undefined ||
            row.recurring?.interval === params.recurring.interval) &&
          (params.recurring?.usage_type === undefined ||
            row.recurring?.usage_type === params.recurring.usage_type) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
]

export const priceExpansions: Expansions = {
  price: {
    product: (world, price) => world.render(world.products.must(price.product as string)),
    tiers: (world, price) => world.prices.must(price.id as string).own.tiers ?? null,
  },
}

export function createPrice(world: World, params: PriceParams, inline: boolean): PriceRow {
  const product = productOf(world, params)
  checkAmounts(params)
  const { recurring, lookup_key: lookupKey } = params
  if (recurring !== undefined) {
    if ((recurring.interval_count ?? 1) > MAX_COUNT[recurring.interval]) {
      throw invalid('Prices can have a maximum interval of three years.', 'recurring[interval_count]')
    }
    if (recurring.usage_type === 'metered') {
      throw invalid(
        'The simulator does not implement metered prices and meters; bill usage with invoice items.',
        'recurring[usage_type]',
        'simulator_gap',
      )
    }
  }
  if (lookupKey !== undefined) claimLookupKey(world, lookupKey, params.transfer_lookup_key ?? false)
  const tiers = params.tiers?.map(tierRow)
  const amount = tiers === undefined ? amountOf(params.unit_amount, params.unit_amount_decimal) : null
  const price = world.prices.insert({
    id: world.ids.next('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: tiers === undefined ? 'per_unit' : 'tiered',
    created: world.now(null),
    currency: params.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: lookupKey ?? null,
    metadata: mergeMetadata({}, params.metadata),
    nickname: params.nickname ?? null,
    product,
    recurring:
      recurring === undefined
        ? null
        : {
            interval: recurring.interval,
            interval_count: recurring.interval_count ?? 1,
            meter: null,
            trial_period_days: null,
            usage_type: 'licensed',
          },
    tax_behavior: params.tax_behavior ?? 'unspecified',
    tiers_mode: tiers === undefined ? null : (params.tiers_mode ?? 'graduated'),
    transform_quantity: params.transform_quantity ?? null,
    type: recurring === undefined ? 'one_time' : 'recurring',
    unit_amount: wholeAmount(amount),
    unit_amount_decimal: amount,
    own: { inline, tiers },
  })
  emitWithPlan(world, 'created', price)
  return price
}

/** Every recurring price is also a legacy plan, and says so twice. */
function emitWithPlan(world: World, what: 'created' | 'updated', price: PriceRow): void {
  world.emit(`price.${what}`, price)
  if (price.recurring !== null && what === 'created')
    world.emitSnapshot('plan.created', renderPlan(price), null)
}

function productOf(world: World, params: PriceParams): string {
  if ((params.product === undefined) === (params.product_data === undefined)) {
    throw invalid('You must specify either `product` or `product_data`.', 'product', 'parameter_missing')
  }
  if (params.product_data !== undefined) return createProduct(world, params.product_data).id
  return find(world.products, 'product', params.product as string, 'product').id
}

function checkAmounts(params: PriceParams): void {
  const { tiers, unit_amount: whole, unit_amount_decimal: fine } = params
  if (whole !== undefined && fine !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
      'unit_amount',
    )
  }
  const tiered = params.billing_scheme === 'tiered'
  if (tiered !== (tiers !== undefined)) {
    throw invalid('`tiers` and `billing_scheme=tiered` must be used together.', 'tiers')
  }
  if (!tiered) {
    if (whole === undefined && fine === undefined) {
      throw invalid('Missing required param: unit_amount.', 'unit_amount', 'parameter_missing')
    }
    return
  }
  if (params.tiers_mode === undefined) {
    throw invalid('Missing required param: tiers_mode.', 'tiers_mode', 'parameter_missing')
  }
  if (whole !== undefined || fine !== undefined) {
    throw invalid('You cannot set an unit amount on a price with tiers.', 'unit_amount')
  }
  if (params.transform_quantity !== undefined) {
    throw invalid('`transform_quantity` cannot be combined with tiers.', 'transform_quantity')
  }
  let below = 0
  for (const [i, step] of (tiers ?? []).entries()) {
    const last = i === (tiers?.length ?? 0) - 1
    if (last !== (step.up_to === 'inf')) {
      throw invalid('The last tier, and only the last, must have `up_to` set to `inf`.', `tiers[${i}][up_to]`)
    }
    if (step.up_to === 'inf') break
    if (step.up_to <= below)
      throw invalid('Tiers must be in ascending order of `up_to`.', `tiers[${i}][up_to]`)
    below = step.up_to
  }
}

function tierRow(step: Params<(typeof tier)['fields']>): PriceTierRow {
  const flat = amountOf(step.flat_amount, step.flat_amount_decimal)
  const unit = amountOf(step.unit_amount, step.unit_amount_decimal)
  return {
    flat_amount: wholeAmount(flat),
    flat_amount_decimal: flat,
    unit_amount: wholeAmount(unit),
    unit_amount_decimal: unit,
    up_to: step.up_to === 'inf' ? null : step.up_to,
  }
}

function amountOf(whole: number | undefined, fine: string | undefined): string | null {
  if (whole !== undefined) return String(whole)
  return fine === undefined ? null : formatDecimal(parseDecimal(fine))
}

/** A lookup key is unique; `transfer_lookup_key` takes it from the price that has it. */
function claimLookupKey(world: World, key: string, transfer: boolean): void {
  for (const holder of world.prices.by('lookup_key', key)) {
    if (!transfer) {
      throw invalid(
        `A price (\`${holder.id}\`) already uses that lookup key. Use \`transfer_lookup_key=true\` to transfer it.`,
        'lookup_key',
      )
    }
    world.emit('price.updated', world.prices.patch(holder.id, { lookup_key: null }))
  }
}

const rendered = new WeakMap<PriceRow, object>()

/** Prices hardly change and are embedded everywhere, so a row is rendered once. */
export function renderPrice(_world: World, row: PriceRow) {
  let price = rendered.get(row)
  if (price === undefined) {
    const { own: _own, ...shown } = row
    price = shown
    rendered.set(row, price)
  }
  return price as Omit<PriceRow, 'own'>
}

const renderedPlans = new WeakMap<PriceRow, object>()

/** The legacy view of a recurring price. */
export function renderPlan(price: PriceRow) {
  let plan = renderedPlans.get(price)
  if (plan === undefined) {
    plan = {
      id: price.id,
      object: 'plan',
      active: price.active,
      amount: price.unit_amount,
      amount_decimal: price.unit_amount_decimal,
      billing_scheme: price.billing_scheme,
      created: price.created,
      currency: price.currency,
      interval: price.recurring?.interval,
      interval_count: price.recurring?.interval_count,
      livemode: false,
      metadata: price.metadata,
      meter: null,
      nickname: price.nickname,
      product: price.product,
      tiers_mode: price.tiers_mode,
      transform_usage: price.transform_quantity,
      trial_period_days: null,
      usage_type: 'licensed',
    }
    renderedPlans.set(price, plan)
  }
  return plan as { [key: string]: unknown }
}
