import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const SUMMARY = 'entitlements.active_entitlement_summary.updated'

const world = await sharedWorld()

let keys = 0
/** A monthly price whose product includes the named features. */
async function plan(...names: string[]) {
  const price = await world.price(1000)
  const product = price.product as string
  for (const name of names) await attach(product, name)
  return { price: price.id, product }
}

const made = new Map<string, string>()
async function attach(product: string, name: string) {
  let id = made.get(name)
  if (id === undefined) {
    id = (await world.stripe.entitlements.features.create({ name, lookup_key: name })).id
    made.set(name, id)
  }
  return world.stripe.products.createFeature(product, { entitlement_feature: id })
}

async function entitlements(customer: string) {
  const list = await world.stripe.entitlements.activeEntitlements.list({ customer })
  return list.data.map((row) => row.lookup_key).sort()
}

describe('features', () => {
  // https://docs.stripe.com/api/entitlements/feature/object
  test('are made, changed, archived and listed', async () => {
    const key = `feature_${++keys}`
    const feature = await world.stripe.entitlements.features.create({
      name: 'Single sign-on',
      lookup_key: key,
      metadata: { team: 'core' },
    })
    expect(feature).toMatchObject({
      object: 'entitlements.feature',
      active: true,
      livemode: false,
      lookup_key: key,
      metadata: { team: 'core' },
      name: 'Single sign-on',
    })
    const twice = await refusal(world.stripe.entitlements.features.create({ name: 'Other', lookup_key: key }))
    expect(twice).toMatchObject({ statusCode: 400, param: 'lookup_key' })
    await world.stripe.entitlements.features.update(feature.id, { active: false, name: 'SSO' })
    expect((await world.stripe.entitlements.features.list({ lookup_key: key })).data).toEqual([])
    const archived = await world.stripe.entitlements.features.list({ archived: true })
    expect(archived.data.map((row) => row.name)).toContain('SSO')
    // "You can't reuse it across different features unless you archive the feature associated with the Lookup Key."
    // https://docs.stripe.com/billing/entitlements
    const next = await world.stripe.entitlements.features.create({ name: 'SSO 2', lookup_key: key })
    expect(next).toMatchObject({ active: true, lookup_key: key })
    // "Permanently": https://docs.stripe.com/api/entitlements/feature/update
    const back = world.stripe.entitlements.features.update(feature.id, { active: true })
    expect(await refusal(back)).toMatchObject({ statusCode: 400, param: 'active' })
    const product = await world.product()
    const late = world.stripe.products.createFeature(product.id, { entitlement_feature: feature.id })
    expect(await refusal(late)).toMatchObject({ statusCode: 400, param: 'entitlement_feature' })
  })

  // https://docs.stripe.com/api/product-feature
  test('are attached to a product once, read, and taken off', async () => {
    const { product } = await plan()
    const attached = await attach(product, 'exports')
    expect(attached).toMatchObject({
      object: 'product_feature',
      livemode: false,
      entitlement_feature: { object: 'entitlements.feature', lookup_key: 'exports' },
    })
    expect(await world.stripe.products.retrieveFeature(product, attached.id)).toEqual(attached)
    expect((await world.stripe.products.listFeatures(product)).data).toEqual([attached])
    expect((await refusal(attach(product, 'exports'))).statusCode).toBe(400)
    expect(await world.stripe.products.deleteFeature(product, attached.id)).toEqual({
      id: attached.id,
      object: 'product_feature',
      deleted: true,
    })
    expect((await world.stripe.products.listFeatures(product)).data).toEqual([])
  })
})

describe('active entitlements', () => {
  // https://docs.stripe.com/billing/entitlements
  test('come with a subscription, are told with the whole list, and go with it', async () => {
    const { price } = await plan('sso', 'audit_log')
    const ada = await world.customer()
    const subscribe = () => world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    let id = ''
    const types = await world.typesDuring(async () => {
      id = (await subscribe()).id
    })
    expect(types.filter((type) => type === SUMMARY)).toHaveLength(1)
    expect(await entitlements(ada.id)).toEqual(['audit_log', 'sso'])
    const told = (await world.events([SUMMARY])).at(-1)
    expect(told?.data).toMatchObject({
      object: {
        object: 'entitlements.active_entitlement_summary',
        customer: ada.id,
        livemode: false,
        entitlements: { object: 'list', has_more: false },
      },
      previous_attributes: { entitlements: { data: [] } },
    })
    const list = await world.stripe.entitlements.activeEntitlements.list({ customer: ada.id })
    expect(told?.data.object).toMatchObject({ entitlements: { data: list.data.toReversed() } })
    const one = await world.stripe.entitlements.activeEntitlements.retrieve(list.data[0]?.id ?? '', {
      expand: ['feature'],
    })
    expect(one.feature).toMatchObject({ object: 'entitlements.feature', active: true })
    await world.stripe.subscriptions.cancel(id)
    expect(await entitlements(ada.id)).toEqual([])
    expect((await refusal(world.stripe.entitlements.activeEntitlements.retrieve(one.id))).statusCode).toBe(
      404,
    )
  })

  test('follow a change of product, and say nothing when they stay', async () => {
    const small = await plan('sso')
    const large = await plan('sso', 'roles')
    const ada = await world.customer()
    const { id, items } = await world.stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: small.price }],
    })
    const up = await world.typesDuring(() =>
      world.stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', price: large.price }] }),
    )
    expect(up).toContain(SUMMARY)
    expect(await entitlements(ada.id)).toEqual(['roles', 'sso'])
    const same = await world.typesDuring(() =>
      world.stripe.subscriptions.update(id, { metadata: { a: 'b' } }),
    )
    expect(same).toEqual(['customer.subscription.updated'])
  })

  test('of two subscriptions are one, and stay until the last of them ends', async () => {
    const { price } = await plan('api')
    const ada = await world.customer()
    const first = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    const second = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    expect(await entitlements(ada.id)).toEqual(['api'])
    const types = await world.typesDuring(() => world.stripe.subscriptions.cancel(first.id))
    expect(types).not.toContain(SUMMARY)
    await world.stripe.subscriptions.cancel(second.id)
    expect(await entitlements(ada.id)).toEqual([])
  })

  test('wait for the first payment, and outlast a failed renewal', async () => {
    const { price } = await plan('seats')
    const ada = await world.customer({ card: 'pm_card_chargeCustomerFail' })
    const { id, status } = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    expect(status).toBe('incomplete')
    expect(await entitlements(ada.id)).toEqual([])
    const bob = await world.customer()
    await world.stripe.subscriptions.create({ customer: bob.id, items: [{ price }] })
    await world.setCard(bob.id, 'pm_card_chargeCustomerFail')
    await world.advance(bob.clock, JAN_1 + 32 * DAY)
    const [renewed] = (await world.stripe.subscriptions.list({ customer: bob.id })).data
    expect(renewed?.status).toBe('past_due')
    expect(await entitlements(bob.id)).toEqual(['seats'])
    expect((await world.stripe.subscriptions.retrieve(id)).status).toBe('incomplete')
  })

  test('that a product gets later come with the renewal', async () => {
    const { price, product } = await plan('base')
    const ada = await world.customer()
    await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    await attach(product, 'added_later')
    expect(await entitlements(ada.id)).toEqual(['base'])
    await world.advance(ada.clock, JAN_1 + 31 * DAY)
    expect(await entitlements(ada.id)).toEqual(['added_later', 'base'])
  })

  test('go with a product that is deleted: another one by its id begins without', async () => {
    const id = 'prod_used_again'
    await world.stripe.products.create({ id, name: 'One' })
    await attach(id, 'of_the_first')
    await world.stripe.products.del(id)
    await world.stripe.products.create({ id, name: 'Two' })
    expect((await world.stripe.products.listFeatures(id)).data).toEqual([])
    await attach(id, 'of_the_first')
  })
})
