import { usualNumber } from '@lockstep/core/item-numbers'
import { round } from '@lockstep/core/money'
import { priceQuantity } from '@lockstep/core/pricing/price-quantity'
import { units } from '@lockstep/core/quantity'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { toChargeable } from '../../provider/stripe/amount.ts'
import { makeInvoice, payInvoice, withdrawInvoice } from '../../provider/stripe/one-off-invoices.ts'
import { providerIdsOf } from '../../store/mappings.ts'
import { releaseSlot } from '../../store/subscriptions.ts'
import { awaitCustomer } from '../await-customer.ts'
import { lookAt } from '../look.ts'
import { providerPrices } from '../provider-prices.ts'
import { costsSomething, couponsAtProvider } from './configuration.ts'
import { notOffered } from './not-offered.ts'
import type { Purchase, PurchaseStrategy } from './strategy.ts'

/**
 * Paid once, by an invoice of its own: the plan's recurring prices, charged a single time. Its place is
 * taken only while it is being bought, so that a double click buys one; afterwards another may be bought.
 */
export const eventTicket: PurchaseStrategy = {
  type: 'event_ticket',
  makes: 'invoice',
  slotOf: ({ key }) => key,
  paymentsOf: () => 1,
  *check(_wanted, { plan }) {
    const metered = plan.prices.find(({ kind, timing }) => kind !== 'recurring' || timing !== 'inAdvance')
    if (metered) yield notOffered(`The price ${metered.key} of ${plan.key} cannot be paid at once.`)
    if (plan.trialDays > 0) yield notOffered(`The plan ${plan.key} has a trial, and a ticket has none.`)
  },
  isDueNow: ({ quantity }, version) => costsSomething(version, quantity),
  async buy(deps, step, purchase) {
    const invoice = await step(
      'make invoice',
      async (operation) => {
        const { customer, subscriptionId, requestOrigin, metadata, version } = purchase
        const { id } = await makeInvoice(deps, {
          operation,
          subjectId: subscriptionId,
          workflowId: purchase.workflowId,
          customerId: customer.id,
          providerCustomer: customer.providerId,
          currency: version.plan.currency,
          items: await itemsOf(deps.db, purchase),
          coupons: await couponsAtProvider(deps.db, purchase.coupons),
          automaticTax: purchase.tax?.status === 'automatic',
          metadata: {
            ...metadata,
            lockstep_purchase: eventTicket.type,
            ...(requestOrigin !== null && { lockstep_origin: requestOrigin }),
          },
        })
        return { id }
      },
      {
        operation: (key) => key,
        undo: ({ id }, key) =>
          withdrawInvoice(deps, `${key}/undo`, { id, subjectId: purchase.subscriptionId }),
      },
    )
    await step('pay invoice', async (operation, { withdrawn }) => {
      const payment = await payInvoice({ ...deps, withdrawn }, operation, {
        ...invoice,
        subjectId: purchase.subscriptionId,
        paymentMethod: purchase.paymentMethod,
      })
      if (payment.kind === 'open')
        throw await awaitCustomer(deps, purchase, { type: 'confirmPayment', url: payment.url })
      if (payment.kind === 'failed') throw payment.problem
    })
    return invoice
  },
  async activate(deps, step, { subscriptionId }, { id }) {
    await step('record purchase', async () => {
      await lookAt(deps, { type: 'invoice', id })
      await transaction(deps.db, (trx) => releaseSlot(trx, subscriptionId))
    })
  },
}

/** One item for each price, its amount computed here and rounded once, and then to what can be charged. */
async function itemsOf(db: Db, { version, quantity }: Purchase) {
  const prices = providerPrices(version).map(({ price }) => price)
  const products = await providerIdsOf(
    db,
    'product',
    prices.map(({ product }) => product),
  )
  return prices.map((price) => {
    const providerProduct = products.get(price.product)
    if (providerProduct === undefined)
      throw new Error(`Product ${price.product} is not known to the provider.`)
    const count = usualNumber(price, prices, quantity)
    const amount = toChargeable(round(priceQuantity(price, units(BigInt(count))).exact))
    return { key: price.key, name: price.name, providerProduct, quantity: count, amount }
  })
}
