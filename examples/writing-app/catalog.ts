import { defineCatalog } from '@lockstep/core/catalog'

const premium = {
  universes: { upTo: null },
  core_content: true,
  extended_content: true,
  collective_content: true,
  collaboration: true,
  storage_mb: { upTo: '10000' },
} as const

/** An app for people who write: free to begin with, one paid product in three rhythms. The story is in README.md. */
export default defineCatalog({
  currency: 'usd',
  seller: {
    name: 'Example Software Ltd',
    address: '1 Example Street, London N1 9GU, United Kingdom',
    email: 'contracts@example.com',
    terms: { version: '2026-11', url: 'https://example.com/terms/2026-11' },
  },
  products: {
    starter: { name: 'Starter', description: 'Write as much as you like, alone.' },
    premium: { name: 'Premium', description: 'Collaboration, history, exports.' },
  },
  features: {
    universes: { name: 'Universes', kind: 'limit', unitLabel: 'universe' },
    core_content: { name: 'Characters, locations, items', kind: 'switch' },
    extended_content: { name: 'Creatures, magic, languages and more', kind: 'switch' },
    collective_content: { name: 'Groups, religions, scenes', kind: 'switch' },
    collaboration: { name: 'Writing together', kind: 'switch' },
    storage_mb: { name: 'Storage for images', kind: 'limit', unitLabel: 'MB' },
  },
  plans: {
    starter: {
      name: 'Starter',
      product: 'starter',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      grants: { universes: { upTo: '5' }, core_content: true, storage_mb: { upTo: '50' } },
    },
    'premium-monthly': {
      name: 'Premium, monthly',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
      grants: premium,
    },
    'premium-quarterly': {
      name: 'Premium, every three months',
      product: 'premium',
      interval: 'month',
      intervalCount: 3,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '24.00' } },
      grants: premium,
    },
    'premium-yearly': {
      name: 'Premium, yearly',
      product: 'premium',
      interval: 'year',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '84.00' } },
      grants: premium,
    },
    // What everybody gets the moment they have an account: the trial ticks from then on.
    pending: {
      name: 'Pending',
      audience: 'admin',
      product: 'premium',
      interval: 'month',
      trialDays: 31,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      grants: premium,
    },
    'early-adopter': {
      name: 'Premium, early adopters',
      audience: 'legacy',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '6.00' } },
      grants: premium,
    },
    'free-for-life': {
      name: 'Premium, free for life',
      audience: 'legacy',
      product: 'premium',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      grants: premium,
    },
  },
  // Who has not chosen when the trial of 31 days ends goes on for free.
  signUp: { plan: 'pending', afterTrial: { moveTo: 'starter' } },
})
