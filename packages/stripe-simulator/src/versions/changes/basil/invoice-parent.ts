import type Stripe from 'stripe'
import { itemOfLine } from '../../../billing/lines.ts'
import type { Json } from '../../../rows.ts'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

type Parent = Pick<Shown<Stripe.Invoice>, 'parent'>
type ItemParent = Pick<Shown<Stripe.InvoiceItem>, 'parent'>
type LineParent = Pick<Shown<Stripe.InvoiceLineItem>, 'parent'>

const detailsOf = ({ parent }: LineParent) =>
  parent?.subscription_item_details ?? parent?.invoice_item_details ?? null

const subscriptionOf = (world: World, { subscription }: Json) => {
  const row = world.subscriptions.get(subscription as string | null)
  return row === undefined ? null : world.render(row)
}

export const invoiceParent = change({
  since: '2025-03-31.basil',
  what: 'Invoices, items and lines tell under `parent` what made them; it was spread over fields of their own.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/adds-new-parent-field-to-invoicing-objects',
  show: {
    invoice: {
      drop: ['parent'],
      give: {
        quote: () => null,
        subscription: ({ parent }: Parent) => parent?.subscription_details?.subscription ?? null,
        subscription_details: ({ parent }: Parent) => ({
          metadata: parent?.subscription_details?.metadata ?? null,
        }),
        subscription_proration_date: ({ parent }: Parent) =>
          parent?.subscription_details?.subscription_proration_date,
      },
    },
    invoiceitem: {
      drop: ['parent'],
      give: {
        subscription: ({ parent }: ItemParent) => parent?.subscription_details?.subscription ?? null,
        subscription_item: ({ parent }: ItemParent) => parent?.subscription_details?.subscription_item,
      },
    },
    line_item: {
      drop: ['parent'],
      give: {
        type: (line: LineParent) => (itemOfLine(line) === null ? 'subscription' : 'invoiceitem'),
        invoice_item: (line: LineParent) => itemOfLine(line) ?? undefined,
        subscription_item: ({ parent }: LineParent) => parent?.subscription_item_details?.subscription_item,
        proration: (line: LineParent) => detailsOf(line)?.proration ?? false,
        proration_details: (line: LineParent) => ({
          credited_items: detailsOf(line)?.proration_details?.credited_items ?? null,
        }),
      },
    },
  },
  expand: {
    invoice: { 'parent.subscription_details.subscription': null, subscription: subscriptionOf },
    invoiceitem: { subscription: subscriptionOf },
  },
})
