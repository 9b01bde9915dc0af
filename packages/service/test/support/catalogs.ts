import { defineCatalog } from '@lockstep/core/catalog'

/** A plan of nothing but one fee each month, of the one product that these catalogues have. */
export const flatPlan = (name: string, amount: string) =>
  ({
    name,
    product: 'app',
    interval: 'month',
    prices: { fee: { kind: 'recurring', model: 'flat', amount } },
  }) as const

const app = { currency: 'usd', products: { app: { name: 'App' } } } as const
const plans = { free: flatPlan('Free', '0'), team: flatPlan('Team', '9.00') }

/** For tests to which it does not matter what is sold: a plan that is free and one that is not. */
export const smallCatalog = defineCatalog({ ...app, plans })

/** The same with everything that can be bought in another way. */
export const purchaseCatalog = defineCatalog({
  ...app,
  coupons: { half: { name: 'Half', percentOff: '50', duration: 'once' } },
  plans: {
    ...plans,
    trial: { ...flatPlan('Trial', '9.00'), trialDays: 31 },
    course: { ...flatPlan('Course', '9.00'), purchase: 'course', payments: 3 },
    ticket: { ...flatPlan('Ticket', '9.00'), purchase: 'event_ticket' },
  },
})
