import { change } from '../change.ts'
import type { Given } from '../given.ts'

type Features = readonly object[]

const renamed = (given: Given) => given.move('features', 'marketing_features')

export const marketingFeatures = change({
  since: '2024-04-10',
  what: 'The features of a product that a price list shows are called its marketing features.',
  source: 'https://docs.stripe.com/changelog/2024-04-10',
  show: {
    product: {
      drop: ['marketing_features'],
      give: {
        features: ({ marketing_features: features }: { readonly marketing_features: Features }) => features,
      },
    },
  },
  parameters: {
    'POST /v1/products': ['marketing_features'],
    'POST /v1/products/:id': ['marketing_features'],
  },
  accept: { 'POST /v1/products': renamed, 'POST /v1/products/:id': renamed },
})
