import { change } from '../change.ts'

export const defaultCurrency = change({
  since: '2022-08-01',
  what: 'The currency of a customer is told once; it was told twice.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/removes-default-currency-customer-object',
  show: {
    customer: {
      give: { default_currency: ({ currency }: { readonly currency?: string | null }) => currency ?? null },
    },
  },
})
