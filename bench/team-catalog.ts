import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { defineCatalog } from '@lockstep/core/catalog'

/** One plan of one price: what registrations are measured with, and reads of what they made. */
export const teamCatalog = catalogDocumentOf(
  defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      team: {
        name: 'Team',
        product: 'app',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
      },
    },
  }),
)
