import { defineCatalog } from '@lockstep/core/catalog'

/** An app for people who write: free to begin with, one paid product in three rhythms. The story is in README.md. */
export default defineCatalog({
  currency: 'usd',
  products: {
    starter: { name: 'Starter', description: 'Write as much as you like, alone.' },
    premium: { name: 'Premium', description: 'Collaboration, history, exports.' },
  },
  plans: {
    starter: {
      name: 'Starter',
      product: 'starter',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    'premium-monthly': {
      name: 'Premium, monthly',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
    'premium-quarterly': {
      name: 'Premium, every three months',
      product: 'premium',
      interval: 'month',
      intervalCount: 3,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '24.00' } },
    },
    'premium-yearly': {
      name: 'Premium, yearly',
      product: 'premium',
      interval: 'year',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '84.00' } },
    },
    // What everybody gets the moment they have an account: the trial ticks from then on.
    pending: {
      name: 'Pending',
      audience: 'admin',
      product: 'premium',
      interval: 'month',
      trialDays: 31,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    'early-adopter': {
      name: 'Premium, early adopters',
      audience: 'legacy',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '6.00' } },
    },
    'free-for-life': {
      name: 'Premium, free for life',
      audience: 'legacy',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
  },
})
