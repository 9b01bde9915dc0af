// docs.stripe.com/api/products. Answers and sentences as recorded: github.com/Kiln-AI/stripe_world, cassettes 07 and
// probe_catalog_events (2026-08-26.dahlia), and the walks of github.com/crvouga/mockingbird through Stripe's test mode
// (packages/service/stripe/src, docs/catalog-coverage.md).
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

test('a product with all that it can have, and without it again', async () => {
  const { stripe } = world
  const full = await stripe.products.create({
    name: ' Full ',
    shippable: true,
    statement_descriptor: 'P7 DESC',
    unit_label: 'widget',
    url: 'https://example.test/full',
    tax_code: 'txcd_10103000',
    description: 'd',
    images: ['https://example.test/i.png'],
    marketing_features: [{ name: ' feature one ' }],
    package_dimensions: { height: 1, length: 2.5, weight: 3, width: 4.25 },
    type: 'service',
  })
  expect(full).toMatchObject({
    active: true,
    default_price: null,
    description: 'd',
    images: ['https://example.test/i.png'],
    marketing_features: [{ name: 'feature one' }],
    metadata: {},
    name: 'Full',
    package_dimensions: { height: 1, length: 2.5, weight: 3, width: 4.25 },
    shippable: true,
    statement_descriptor: 'P7 DESC',
    tax_code: 'txcd_10103000',
    tax_details: { performance_location: null, tax_code: 'txcd_10103000' },
    type: 'service',
    unit_label: 'widget',
    url: 'https://example.test/full',
  })
  const bare = await stripe.products.update(full.id, {
    statement_descriptor: '',
    unit_label: '',
    url: '',
    tax_code: '',
    description: '',
    images: '',
    marketing_features: '',
    package_dimensions: '',
  })
  const nothing = {
    description: null,
    images: [],
    marketing_features: [],
    package_dimensions: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    unit_label: null,
    url: null,
  }
  expect(bare).toMatchObject({ name: 'Full', shippable: true, ...nothing })
  expect((await stripe.products.create({ name: 'Bare' })).tax_details).toBeNull()
})

test('what is too long, too much or no address is refused', async () => {
  const { stripe } = world
  const make = (more: Partial<Stripe.ProductCreateParams>) =>
    refusal(stripe.products.create({ name: 'x', ...more }))
  const seventeen = Array.from({ length: 17 }, (_, i) => ({ name: `${i}` }))
  const cases = [
    [{ name: '  ' }, 'name', /^You passed an empty string for 'name'/],
    [
      { unit_label: 'thirteen chars' },
      'unit_label',
      'Invalid string length: thirteen chars must be at most 12 characters',
    ],
    [
      { statement_descriptor: 'longer than twenty-two c' },
      'statement_descriptor',
      'The statement descriptor must be at most 22 characters. longer than twenty-two c is 24 characters long.',
    ],
    [{ statement_descriptor: 'A<B' }, 'statement_descriptor', 'The statement descriptor cannot include <.'],
    [
      { statement_descriptor: '12345' },
      'statement_descriptor',
      'The statement descriptor must contain at least one Latin character.',
    ],
    [{ url: 'ftp://example.test' }, 'url', 'Not a valid URL'],
    [{ url: 'two words' }, 'url', 'Not a valid URL'],
    [
      { url: 'https://example.test/ü' },
      'url',
      'Invalid URL: Non-ASCII characters in URLs must be percent-encoded in order for the URL to be valid.',
    ],
    [
      { url: `https://example.test/${'x'.repeat(800)}` },
      'url',
      'Invalid string length: please limit to 799 characters',
    ],
    [{ images: ['not here'] }, 'images[0]', 'Not a valid URL'],
    [
      { images: Array.from({ length: 9 }, (_, i) => `https://example.test/${i}.png`) },
      'images',
      'Array images exceeded maximum 8 allowed elements.',
    ],
    [{ marketing_features: seventeen }, 'marketing_features', /exceeded maximum 15 allowed elements/],
    [
      { marketing_features: [{ name: 'x'.repeat(81) }] },
      'marketing_features[0][name]',
      /at most 80 characters/,
    ],
    [
      { package_dimensions: { height: 1, length: 2, weight: 3, width: 4.125 } },
      'package_dimensions[width]',
      /at most 2 decimal places/,
    ],
    [
      { package_dimensions: { height: 1 } as Stripe.ProductCreateParams.PackageDimensions },
      'package_dimensions[length]',
      'Missing required param: package_dimensions[length].',
    ],
  ] satisfies [Partial<Stripe.ProductCreateParams>, string, string | RegExp][]
  for (const [given, param, message] of cases) {
    const refused = await make(given)
    expect(refused).toMatchObject({ statusCode: 400, param })
    expect(refused.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  }
  expect((await make({ type: 'good' })).code).toBe('simulator_gap')
  // Its scheme is left out where it goes without saying.
  expect((await stripe.products.create({ name: 'x', url: 'example.test/page' })).url).toBe(
    'example.test/page',
  )
})

test('a product that comes with its price has it when it is told of, and takes what is said of such prices', async () => {
  const { stripe } = world
  let product: Stripe.Product | undefined
  const types = await world.typesDuring(async () => {
    product = await stripe.products.create({
      name: 'Team',
      default_price_data: {
        currency: 'usd',
        unit_amount: 1500,
        recurring: { interval: 'month', interval_count: 3 },
        metadata: { a: '1' },
      },
    })
  })
  expect(types).toEqual(['product.created', 'price.created', 'plan.created'])
  const [told] = (await world.events(['product.created'])).slice(-1)
  expect(told?.data.object).toMatchObject({ id: product?.id, default_price: product?.default_price })
  expect(await stripe.prices.retrieve(product?.default_price as string)).toMatchObject({
    product: product?.id,
    metadata: { a: '1' },
    recurring: { interval_count: 3 },
  })
  const other = { currency: 'usd', unit_amount: 1, nickname: 'x' }
  expect(await refusal(stripe.products.create({ name: 'x', default_price_data: other }))).toMatchObject({
    code: 'parameter_unknown',
    param: 'default_price_data[nickname]',
  })
})

test('the default price is one of the product', async () => {
  const { stripe } = world
  const { id } = await world.product()
  const own = await stripe.prices.create({ product: id, currency: 'usd', unit_amount: 1 })
  const foreign = await world.price(1)
  const set = (default_price: string) => stripe.products.update(id, { default_price })
  expect(await refusal(set('price_nope'))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'default_price',
    message: "No such price: 'price_nope'",
  })
  expect(await refusal(set(foreign.id))).toMatchObject({ statusCode: 400, param: 'default_price' })
  expect((await set(own.id)).default_price).toBe(own.id)
  expect((await set('')).default_price).toBeNull()
})

test('what changes is told key by key, and a deleted product is told of as inactive', async () => {
  const { stripe } = world
  const { id } = await stripe.products.create({ name: 'probe events', metadata: { seed: '1' } })
  await stripe.products.update(id, { description: 'd', metadata: { a: '1' } })
  const [updated] = (await world.events(['product.updated'])).slice(-1)
  expect(updated?.data).toMatchObject({
    object: { description: 'd', metadata: { a: '1', seed: '1' } },
    previous_attributes: { description: null, metadata: { a: null } },
  })
  await stripe.products.del(id)
  const [deleted] = (await world.events(['product.deleted'])).slice(-1)
  expect(deleted?.data.object).toMatchObject({ id, active: false, description: 'd' })
  expect(deleted?.data).not.toHaveProperty('previous_attributes')
  expect(await refusal(stripe.products.retrieve(id))).toMatchObject({ statusCode: 404, param: 'id' })
})

test('products are listed by their ids or page by page, and by their type', async () => {
  const { stripe } = world
  const [one, two] = [await world.product('one'), await world.product('two')]
  const listed = await stripe.products.list({ ids: [one.id, 'prod_nope'] })
  expect(listed.data.map((product) => product.id)).toEqual([one.id])
  for (const cursor of ['starting_after', 'ending_before'] as const) {
    const both = stripe.products.list({ ids: [one.id], [cursor]: two.id })
    expect(await refusal(both)).toMatchObject({
      statusCode: 400,
      message: `You may only specify one of these parameters: ids, ${cursor}.`,
      param: 'ids',
    })
  }
  expect((await stripe.products.list({ type: 'service', limit: 1 })).data).toHaveLength(1)
  expect((await stripe.products.list({ type: 'good' })).data).toEqual([])
})
