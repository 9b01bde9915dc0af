import { defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { readInvoice } from '../../src/invoice/read.ts'
import { newBillingWorld, type Payer } from '../support/billing-world.ts'

const monthly = { product: 'cloud', interval: 'month' } as const
const compute = { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' } as const
const traffic = { meter: 'bytes', product: 'traffic', model: 'perUnit', unitAmount: '0.01' } as const
const promise = (amount: string) => ({ name: 'Minimum', model: 'minimum', amount }) as const
const feeOf = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const

/** Odd fees, so that shares of them have to be rounded. */
const catalog = defineCatalog({
  currency: 'usd',
  products: {
    cloud: { name: 'Cloud' },
    compute: { name: 'Compute' },
    traffic: { name: 'Traffic' },
  },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    bytes: { name: 'Bytes', unitLabel: 'byte', aggregation: 'sum' },
    level: { name: 'Level', unitLabel: 'unit', aggregation: 'last' },
    cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region'] },
  },
  plans: {
    plain: {
      ...{ ...monthly, name: 'Plain' },
      prices: {
        fee: feeOf('20.01'),
        compute,
        traffic,
      },
    },
    leveled: {
      ...{ ...monthly, name: 'Leveled' },
      prices: { fee: feeOf('20.01'), level: { ...compute, meter: 'level' } },
    },
    regions: {
      ...{ ...monthly, name: 'Regions' },
      prices: { fee: feeOf('20.01'), cpu: { ...compute, meter: 'cpu', groupBy: ['region'] } },
    },
    least: {
      ...{ ...monthly, name: 'Least' },
      prices: {
        ...{ fee: feeOf('20.01'), compute },
        least: { name: 'Minimum', model: 'minimum', product: 'compute', amount: '31.00' },
      },
    },
    promised: {
      ...{ ...monthly, name: 'Promised' },
      prices: { fee: feeOf('10.00'), compute, traffic, promise: promise('50.00') },
    },
    'promised-yen': {
      ...{ ...monthly, name: 'Promised', currency: 'jpy' },
      prices: { fee: feeOf('1000'), compute: { ...compute, unitAmount: '1' }, promise: promise('5000') },
    },
    'promised-dinar': {
      ...{ ...monthly, name: 'Promised', currency: 'kwd' },
      prices: {
        fee: feeOf('1.000'),
        compute: { ...compute, unitAmount: '0.005' },
        promise: promise('5.000'),
      },
    },
    capped: {
      ...{ ...monthly, name: 'Capped' },
      prices: {
        ...{ fee: feeOf('10.00'), compute, traffic },
        cap: { name: 'Cap', model: 'maximum', amount: '50.00' },
      },
    },
    big: { ...monthly, name: 'Big', prices: { fee: feeOf('50.01'), compute } },
    trying: { ...monthly, name: 'Trying', trialDays: 14, prices: { fee: feeOf('20.01'), compute } },
    yen: {
      ...{ ...monthly, name: 'Yen', currency: 'jpy' },
      prices: { fee: feeOf('2001'), compute: { ...compute, unitAmount: '1' } },
    },
    dinar: {
      ...{ ...monthly, name: 'Dinar', currency: 'kwd' },
      prices: { fee: feeOf('2.010'), compute: { ...compute, unitAmount: '0.010' } },
    },
    yearly: {
      ...{ name: 'Yearly', product: 'cloud', interval: 'year', usageInterval: 'month' },
      prices: { fee: feeOf('200.01'), compute },
    },
  },
})

export type TotalsWorld = Awaited<ReturnType<typeof newTotalsWorld>>

/** A billing world in which a current invoice is held against Stripe's preview of it, and against what it became. */
export async function newTotalsWorld() {
  const world = await newBillingWorld({ catalog })
  const { stripe } = world
  return {
    ...world,

    async go(payer: Payer, time: string): Promise<void> {
      await world.turn(payer, time)
      await world.deliver()
    },

    /** Subscribed on 10 January; it is the 20th. */
    async subscribed(plan = 'plain', coupons: readonly string[] = []): Promise<Payer> {
      const payer = await world.register(plan, '2026-01-10T00:00:00Z')
      if (coupons.length > 0) await this.discount(payer, coupons)
      await this.go(payer, '2026-01-20T00:00:00Z')
      return payer
    },

    /** Given in the dashboard, in this order, in place of all before. */
    async discount({ subscription }: Payer, coupons: readonly string[]): Promise<void> {
      await stripe.subscriptions.update(subscription, { discounts: coupons.map((coupon) => ({ coupon })) })
      await world.deliver()
    },

    async coupon(of: Stripe.CouponCreateParams): Promise<string> {
      return (await stripe.coupons.create({ duration: 'forever', ...of })).id
    },

    async productId(called: string): Promise<string> {
      const { data } = await stripe.products.list({ limit: 100 })
      const found = data.find(({ name }) => name === called)
      if (!found) throw new Error(`There is no product ${called}.`)
      return found.id
    },

    /** What the current invoice comes to here and in Stripe's preview, and what the final one did there and here. */
    async everywhere(payer: Payer, time = '2026-02-10T02:00:00Z') {
      await world.sync(payer)
      const shown = await world.read(payer, 'current')
      const preview = await stripe.invoices.createPreview({ subscription: payer.subscription })
      await this.go(payer, time)
      const last = (await world.atStripe(payer)).at(-1)?.invoice
      const row = (await world.invoices(payer)).find(
        ({ providerInvoiceId }) => providerInvoiceId === last?.id,
      )
      const final = row && (await readInvoice(world.db, row.id))
      if (!final) throw new Error('The final invoice is not known here.')
      const figures = (one: typeof shown) => ({
        total: Number(one.total.minor),
        off: Number(one.discountTotal.minor),
        tax: one.tax.amount === null ? null : Number(one.tax.amount.minor),
        due: one.amountDue === null ? null : Number(one.amountDue.minor),
      })
      return {
        shown,
        here: figures(shown),
        preview: figuresOf(preview),
        final: last && figuresOf(last),
        ours: figures(final),
      }
    },
  }
}

function figuresOf({ total, total_discount_amounts, total_taxes, amount_due: due }: Stripe.Invoice) {
  const sum = (list: readonly { readonly amount: number }[] | null) =>
    (list ?? []).reduce((all, { amount }) => all + amount, 0)
  return { total, off: sum(total_discount_amounts), tax: sum(total_taxes), due }
}

/** The same figures four times over. */
export const allAre = (figures: { total: number; off?: number; tax?: number; due?: number }) => {
  const all = { off: 0, tax: 0, due: figures.total, ...figures }
  return { here: all, preview: all, final: all, ours: all }
}
