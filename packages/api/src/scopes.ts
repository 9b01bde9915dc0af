/**
 * What a key may be allowed to do. Writing does not include reading: a key that only sends usage sees
 * nothing. Nor does administering: it is asked for beside writing.
 */
export const scopes = [
  { id: 'catalog:read', name: 'Read the catalogue', description: 'Products, meters, plans and prices.' },
  {
    id: 'catalog:write',
    name: 'Change the catalogue',
    description: 'Apply a catalogue, also at the provider.',
  },
  {
    id: 'customers:read',
    name: 'Read customers',
    description: 'Customers, their names and addresses, contracts and billing overview.',
  },
  {
    id: 'customers:write',
    name: 'Change customers',
    description: 'Create customers and change their names and addresses.',
  },
  {
    id: 'subscriptions:read',
    name: 'Read subscriptions',
    description: 'Registrations, subscriptions and entitlements.',
  },
  {
    id: 'subscriptions:write',
    name: 'Change subscriptions',
    description: 'Register customers, resume registrations.',
  },
  {
    id: 'subscriptions:admin',
    name: 'Administer subscriptions',
    description:
      'Change what otherwise only the system sets, and give a subscription plans that customers cannot choose.',
  },
  { id: 'usage:read', name: 'Read usage', description: 'Quantities measured for each customer and meter.' },
  { id: 'usage:write', name: 'Send usage', description: 'Send usage events.' },
  {
    id: 'invoices:read',
    name: 'Read invoices',
    description: 'Invoices, their lines and how each amount came about.',
  },
  {
    id: 'invoices:write',
    name: 'Change invoices',
    description: 'Send an invoice to the provider now; give money back.',
  },
  {
    id: 'operations:read',
    name: 'Read operations',
    description:
      'API keys, mappings, provider events, test clocks, webhook endpoints and what was sent there.',
  },
  {
    id: 'operations:write',
    name: 'Operate',
    description:
      'Make and revoke API keys, adjust open invoices, correct usage, give plans at registration that customers ' +
      'cannot choose, retry provider events, turn test clocks, say where webhooks are sent.',
  },
] as const

export type Scope = (typeof scopes)[number]['id']

export const scopeIds = scopes.map(({ id }) => id)

/** What it takes to read everything. */
export const readingScopes: readonly Scope[] = scopeIds.filter((scope) => scope.endsWith(':read'))
