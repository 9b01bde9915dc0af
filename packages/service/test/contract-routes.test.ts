import { createHash } from 'node:crypto'
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { contractHtml } from '../src/contract/html.ts'
import { printed } from '../src/contract/printed.ts'
import { documentPdf } from '../src/document/pdf.ts'
import { readContract } from '../src/store/contracts.ts'
import { sharedInstallation } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  seller: {
    name: 'Łódź & Söhne GmbH',
    address: 'Straße 1, 10115 Berlin',
    taxId: 'DE123456789',
    terms: { version: '2026-11', url: 'https://example.com/terms' },
  },
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  features: {
    seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
    storage: { name: 'Storage', kind: 'limit', unitLabel: 'GiB' },
    together: { name: 'Working together', kind: 'switch' },
  },
  coupons: {
    spring: { name: 'Spring', percentOff: '10', duration: 'repeating', durationInMonths: 2 },
    yen: { name: 'Thousand', amountOff: '1000', currency: 'jpy', duration: 'once' },
  },
  plans: {
    team: {
      name: 'Team <€>',
      product: 'app',
      interval: 'month',
      intervalCount: 3,
      trialDays: 14,
      prices: {
        seats: { kind: 'recurring', model: 'perUnit', unitAmount: '2.00', name: 'Seats' },
        calls: {
          meter: 'calls',
          model: 'graduated',
          tiers: [{ upTo: '1000' }, { upTo: null, unitAmount: '0.0025', flatAmount: '1.50' }],
        },
        share: { model: 'percentage', percent: '12.5' },
      },
      grants: { seats: { upTo: '50' }, together: true },
    },
    yen: {
      name: 'Yen',
      product: 'app',
      currency: 'jpy',
      interval: 'year',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '5000' } },
    },
    dinar: {
      name: 'Dinar',
      product: 'app',
      currency: 'kwd',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '5120.120' } },
      grants: { storage: { upTo: '1234567' } },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

interface ListedContract {
  readonly id: string
  readonly hash: string
}

async function contractOf(externalId: string, plan: string, more: object = {}): Promise<ListedContract> {
  const paymentMethod = 'pm_card_visa'
  const { status, body } = await installation.ask('POST', '/v1/registrations', {
    ...{ externalId, plan, paymentMethod },
    ...more,
  })
  expect(status).toBe(201)
  const list = await installation.ask('GET', `/v1/contracts?customer=${String(body.customer)}`)
  const [contract] = list.body.data as ListedContract[]
  if (!contract) throw new Error('There is no contract.')
  return contract
}

async function printedOf(id: string) {
  const row = await readContract(installation.deps.db, id)
  if (!row) throw new Error('There is no contract.')
  return printed(row)
}

test('a contract is read with the text its digest is taken of', async () => {
  const { id, hash } = await contractOf('user_1', 'team', {
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    quantity: 3,
    requestOrigin: 'pricing page',
  })
  const { status, body } = await installation.ask('GET', `/v1/contracts/${id}`)
  expect(status).toBe(200)
  expect(createHash('sha256').update(String(body.text)).digest('hex')).toBe(hash)
  expect(body).toMatchObject({
    ...{
      sequence: 1,
      plan: 'team',
      planVersion: 1,
      supersedes: null,
      supersededBy: null,
      previousHash: null,
    },
    seller: { name: 'Łódź & Söhne GmbH', taxId: 'DE123456789' },
    person: { name: 'Ada Lovelace', email: 'ada@example.org' },
    terms: { version: '2026-11' },
    requestOrigin: 'pricing page',
    agreement: {
      billingCycle: { interval: 'month', intervalCount: 3 },
      trial: { days: 14, usage: 'free' },
      quantity: 3,
      features: [{ feature: 'seats', upTo: '50', unitLabel: 'seat' }, { feature: 'together' }],
    },
    changes: [],
  })
  const missing = await installation.ask('GET', '/v1/contracts/contract_x')
  expect([missing.status, missing.body.code]).toEqual([404, 'contract_not_found'])
})

test('a chain is verified, and a forged link is named', async () => {
  const { id } = await contractOf('user_2', 'team')
  const row = await readContract(installation.deps.db, id)
  const path = `/v1/customers/${row?.customerId}/contract-chain`
  const { body } = await installation.ask('GET', path)
  expect(body).toMatchObject({ intact: true, contracts: 1, erased: 0, broken: null })

  // Somebody with the rights of the database's owner puts the trigger aside.
  await installation.database.pool.query(
    `alter table contract disable trigger contract_is_immutable;
     update contract set document = replace(document, '"quantity":1', '"quantity":9') where id = '${id}';
     alter table contract enable trigger contract_is_immutable`,
  )
  expect((await installation.ask('GET', path)).body).toMatchObject({
    intact: false,
    broken: { contract: id, sequence: 1, reason: 'the text does not have the digest that was recorded' },
  })
})

test('it is printed in words, amounts with the coins of their currency, moments with their zone', async () => {
  const { id } = await contractOf('user_3', 'team', { name: 'Ada & "Bob" <b>', coupons: ['spring'] })
  const { sections, title, footer } = await printedOf(id)
  expect(title).toBe('Contract: Team <€>')
  const rows = new Map(sections.map((section) => [section.title, section.rows]))
  expect(rows.get('Prices')).toEqual([
    ['Seats', ['2.00 USD each', 'each period, in advance']],
    [
      'Calls',
      [
        'each unit by its own tier:',
        'up to 1,000: 0.00 USD each',
        'beyond: 0.0025 USD each, and 1.50 USD once',
        'in arrears',
      ],
    ],
    ['Share', ['12.5 % of the other lines', 'in arrears']],
  ])
  expect(rows.get('Included')).toEqual([
    ['Seats', ['up to 50 (seat)']],
    ['Working together', ['yes']],
  ])
  expect(rows.get('Acceptance')?.[0]).toEqual([
    'When',
    [expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)],
  ])
  const moment = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`
  expect(rows.get('Discounts')).toEqual([
    ['Spring', [expect.stringMatching(`^10 % for 2 months from ${moment} until ${moment}$`)]],
  ])
  expect(footer[0]).toMatch(/^SHA-256 [0-9a-f]{64}$/)
  const yen = await printedOf((await contractOf('user_4', 'yen', { coupons: ['yen'] })).id)
  const dinar = await printedOf((await contractOf('user_5', 'dinar')).id)
  expect([yen, dinar].map((one) => one.sections.find(({ title: of }) => of === 'Prices')?.rows)).toEqual([
    [['Yen', ['5,000 JPY', 'each period, in advance']]],
    [['Dinar', ['5,120.120 KWD', 'each period, in advance']]],
  ])
  expect(yen.sections.find(({ title: of }) => of === 'Discounts')?.rows).toEqual([
    ['Thousand', [expect.stringMatching(`^1,000 jpy once from ${moment}$`)]],
  ])
})

test('what is included is printed with its thousands apart, unless it was concluded when it had none', async () => {
  const { id, hash } = await contractOf('user_7', 'dinar')
  const included = async () => (await printedOf(id)).sections.find(({ title }) => title === 'Included')?.rows
  expect(await included()).toEqual([['Storage', ['up to 1,234,567 (GiB)']]])
  // As it stands where it was concluded before there was a second printing.
  await installation.database.pool.query(
    `alter table contract disable trigger contract_is_immutable;
     update contract set printing = 1 where id = '${id}';
     alter table contract enable trigger contract_is_immutable`,
  )
  expect(await included()).toEqual([['Storage', ['up to 1234567 (GiB)']]])
  const { body } = await installation.ask('GET', `/v1/contracts/${id}`)
  expect([body.hash, createHash('sha256').update(String(body.text)).digest('hex')]).toEqual([hash, hash])
})

test('what a process of an older version concludes is printed as that prints it, by the new one too', async () => {
  const { rows } = await installation.database.pool.query(
    `select column_default from information_schema.columns where table_name = 'contract' and column_name = 'printing'`,
  )
  expect(rows).toEqual([{ column_default: '1' }])
})

test('as a page and as a PDF it can be had and kept', async () => {
  const { id } = await contractOf('user_6', 'team', { name: 'Ada & "Bob" <b>' })
  const contract = await printedOf(id)
  const html = contractHtml(contract)
  expect(html).toContain('Ada &amp; &quot;Bob&quot; &lt;b&gt;')
  expect(html).not.toMatch(/<script|src=|href=|<b>/)
  const pdf = await documentPdf(contract)
  expect(Buffer.from(pdf.subarray(0, 5)).toString()).toBe('%PDF-')
  // Its fonts are inside: a euro sign and a Polish name look the same everywhere.
  expect(Buffer.from(pdf).toString('latin1')).toMatch(/\/FontFile2/)
})
