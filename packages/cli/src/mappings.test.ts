import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const mapping = {
  ...{ entityType: 'addon', entityId: 'backups', provider: 'stripe', providerType: 'product' },
  ...{ providerId: 'prod_1', livemode: false, origin: 'link', createdAt: '2026-01-20T00:00:00Z' },
}

test('a customer is linked and unlinked by the id that the application knows', async () => {
  const linked = { ...mapping, entityType: 'customer', entityId: 'customer_1', providerId: 'cus_1' }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': {
      body: { data: [{ id: 'customer_1', externalId: 'ada' }], hasMore: false, nextCursor: null },
    },
    // The application's own ids may begin as ours do.
    'GET /v1/customers?externalId=customer_42&limit=1': {
      body: { data: [{ id: 'customer_1', externalId: 'customer_42' }], hasMore: false, nextCursor: null },
    },
    'GET /v1/customers?externalId=customer_1&limit=1': {
      body: { data: [], hasMore: false, nextCursor: null },
    },
    'GET /v1/customers/customer_1': { body: { id: 'customer_1', externalId: 'ada' } },
    'POST /v1/mappings': { status: 201, body: linked },
    'DELETE /v1/mappings/customer/customer_1': { body: linked },
  }
  for (const id of ['ada', 'customer_42', 'customer_1']) {
    expect(await fake.run(['mappings', 'link', 'customer', id, 'cus_1'])).toMatchObject({ code: 0 })
    expect(fake.asked.at(-1)?.body).toMatchObject({ entityId: 'customer_1', providerId: 'cus_1' })
  }
  expect(await fake.run(['mappings', 'unlink', 'customer', 'customer_42'])).toMatchObject({ code: 0 })
})

test('an add-on is linked, listed and unlinked as a plan is', async () => {
  fake.answers = {
    'POST /v1/mappings': { status: 201, body: mapping },
    'GET /v1/mappings?limit=50&entityType=addon': { body: { data: [mapping], next: null } },
    'DELETE /v1/mappings/addon/backups': { body: mapping },
  }
  const linked = await fake.run(['mappings', 'link', 'addon', 'backups', 'prod_1'])
  expect(linked).toMatchObject({ code: 0, stdout: expect.stringContaining('backups: prod_1') })
  const listed = await fake.run(['mappings', 'list', '--type', 'addon'])
  expect(listed.stdout).toMatch(/addon +backups +prod_1 +link/)
  expect((await fake.run(['mappings', 'unlink', 'addon', 'backups'])).code).toBe(0)
})
