import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
const lockstep = fake.run
afterAll(() => {
  fake.close()
})
beforeEach(() => {
  fake.answers = {}
  fake.asked = []
})

const ada = {
  id: 'customer_1',
  externalId: 'ada',
  name: 'Ada',
  email: null,
  currency: 'usd',
  testClock: null,
  providerId: 'cus_1',
  createdAt: '2026-01-01T00:00:00Z',
}

test('a list is a table for people and JSON for programs', async () => {
  fake.answers = { 'GET /v1/customers?limit=50': page(ada) }
  const { stdout, code } = await lockstep(['customers', 'list', '--key', 'k'])
  expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    'customer  name  id          provider  since       test clock',
    'ada       Ada   customer_1  cus_1     2026-01-01',
    '',
  ])
  expect(code).toBe(0)
  expect(fake.asked[0]?.key).toBe('Bearer k')
  const json = await lockstep(['customers', 'list', '--json'])
  expect(JSON.parse(json.stdout)).toEqual([ada])
})

test('a refusal says what, where, what to do, and where to read more, and ends with 1', async () => {
  fake.answers = {
    'POST /v1/catalog/plan': {
      status: 422,
      body: {
        type: 'https://docs/catalog_invalid',
        title: 'The catalogue is not valid.',
        status: 422,
        code: 'catalog_invalid',
        detail: 'One.',
        errors: [{ pointer: '#/plans/x/product', code: 'unknown', detail: 'There is no product y.' }],
      },
    },
  }
  const file = join(fake.folder, 'catalog.json')
  writeFileSync(file, JSON.stringify({ currency: 'usd', products: {}, plans: {} }))
  const { stderr, stdout, code } = await lockstep(['catalog', 'plan', file])
  expect(stderr.split('\n')).toEqual([
    '✗ The catalogue is not valid.  catalog_invalid',
    '  #/plans/x/product  There is no product y.',
    '  Correct the file at the places named; nothing was changed.',
    '  https://docs/catalog_invalid',
    '',
  ])
  expect(stdout).toBe('')
  expect(code).toBe(1)
  const json = await lockstep(['catalog', 'plan', file, '--json'])
  expect(JSON.parse(json.stderr).error).toMatchObject({ code: 'catalog_invalid' })
})

test('nobody there is told with what to do about it', async () => {
  const { stderr, code } = await lockstep(['customers', 'list'], { LOCKSTEP_URL: 'http://127.0.0.1:9' })
  expect(stderr).toContain('Cannot reach http://127.0.0.1:9')
  expect(stderr).toContain('Is the service running?')
  expect(code).toBe(1)
})

test.each([
  ['an unknown command', ['dance'], "unknown command 'dance'"],
  ['a missing argument', ['registrations', 'show'], 'missing required argument'],
  ['a time that is none', ['clock', 'advance', 'x', '--to', 'soon'], 'Write it like 2026-02-28'],
  ['a file that is not there', ['usage', 'import', 'nowhere.ndjson'], 'There is no such file'],
  ['an unknown scope', ['api-keys', 'create', 'x', '--scope', 'everything'], 'There is no such scope'],
  ['an address that is none', ['customers', 'list', '--url', 'localhost'], 'This is not an address'],
  ['applying with nobody to confirm', ['catalog', 'apply', 'catalog.json'], 'Nobody is here to confirm it'],
])('%s is wrong usage and ends with 2', async (_, args, message) => {
  fake.answers = {
    'POST /v1/catalog/plan': {
      body: { changes: [{ kind: 'plan', action: 'create', key: 'p', details: [] }] },
    },
  }
  const { stderr, code } = await lockstep(args)
  expect(stderr).toContain(message)
  expect(code).toBe(2)
})

test('usage is imported from a file, and a fault is named by its line', async () => {
  const event = (id: string) => JSON.stringify({ source: 's', id, type: 't', subject: 'u', time: 'x' })
  const file = join(fake.folder, 'usage.ndjson')
  writeFileSync(file, `${event('1')}\n\n${event('2')}\n`)
  fake.answers = { 'POST /v1/usage-events': { body: { accepted: 1, duplicates: 1, conflicts: [] } } }
  const done = await lockstep(['usage', 'import', file])
  expect(done.stdout).toBe('1 new, 1 known already\n')
  expect(done.stderr).toContain('2 events')
  expect(done.code).toBe(0)
  expect(fake.asked[0]?.body).toHaveLength(2)

  const errors = [{ pointer: '#/1/time', code: 'invalid', detail: 'Not a time.' }]
  const problem = {
    type: 'about:blank',
    title: 'T.',
    status: 422,
    code: 'usage_event_invalid',
    detail: 'd',
    errors,
  }
  fake.answers = { 'POST /v1/usage-events': { status: 422, body: problem } }
  const refused = await lockstep(['usage', 'import', file])
  expect(refused.stderr).toContain(`${file}:3 #/time  Not a time.`)
  expect(refused.code).toBe(1)

  writeFileSync(file, `${event('1')}\n{"source":\n`)
  expect((await lockstep(['usage', 'import', file])).stderr).toContain(`${file}:2 is not JSON`)
})

const importCsv = async (content: string, ...options: string[]) => {
  const file = join(fake.folder, 'usage.csv')
  writeFileSync(file, content)
  return { file, ...(await lockstep(['usage', 'import', file, ...options])) }
}

test('a CSV file is imported by the names of its columns, whatever stands in its cells', async () => {
  fake.answers = { 'POST /v1/usage-events': { body: { accepted: 3, duplicates: 0, conflicts: [] } } }
  const { code } = await importCsv(
    '\ufeffid,meter,externalId,quantity,time,app,note\r\n' +
      '1,seconds,ada,12.5,2026-01-31T09:30:00Z,web,"a ""b"", c"\r\n' +
      '\r\n' +
      '2,seconds,ada,0.1,2026-01-31T09:30:00Z,,"two\nlines"\n' +
      '3,calls,ben,,2026-01-31T09:30:00Z,,',
  )
  expect(code).toBe(0)
  const time = '2026-01-31T09:30:00Z'
  expect(fake.asked[0]?.body).toEqual([
    {
      id: '1',
      meter: 'seconds',
      externalId: 'ada',
      quantity: '12.5',
      time,
      data: { app: 'web', note: 'a "b", c' },
    },
    { id: '2', meter: 'seconds', externalId: 'ada', quantity: '0.1', time, data: { note: 'two\nlines' } },
    { id: '3', meter: 'calls', externalId: 'ben', time },
  ])
})

test('columns of other names are named, and what no column says is given to all', async () => {
  fake.answers = { 'POST /v1/usage-events': { body: { accepted: 1, duplicates: 0, conflicts: [] } } }
  const { code } = await importCsv(
    'request;account;at;region\nr-1;ada;2026-01-31T09:30:00Z;\n',
    ...[
      '--delimiter',
      ';',
      '--column',
      'id=request',
      '--column',
      'externalId=account',
      '--column',
      'time=at',
    ],
    ...['--set', 'meter=calls', '--set', 'source=january', '--set', 'region=eu'],
  )
  expect(code).toBe(0)
  expect(fake.asked[0]?.body).toEqual([
    {
      id: 'r-1',
      source: 'january',
      meter: 'calls',
      externalId: 'ada',
      time: '2026-01-31T09:30:00Z',
      data: { region: 'eu' },
    },
  ])
})

test('a CSV file that does not say what is what is wrong usage, told all at once', async () => {
  const { stderr, code } = await importCsv('id,meter,id\n1,calls,2\n', '--column', 'time=at')
  expect(code).toBe(2)
  expect(stderr).toContain(
    'there is no column "at"; no column is the externalId; no column is the time; two columns are "id".',
  )
  expect(fake.asked).toEqual([])
  const broken = await importCsv('id,meter,externalId,time\n1,calls,ada\n')
  expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('on line 2') })
})

test('a dry run looks at the whole file, and every fault is told by the line its row begins on', async () => {
  const rows = Array.from({ length: 1500 }, (_, i) => `${i},calls,ada,"a\nb",2026-01-31T09:30:00Z`)
  const problem = {
    ...{ type: 'about:blank', title: 'T.', status: 422, code: 'usage_event_invalid', detail: 'd' },
    errors: [{ pointer: '#/2/externalId', code: 'customer_unknown', detail: 'Nobody.' }],
  }
  fake.answers = { 'POST /v1/usage-events?dryRun=true': { status: 422, body: problem } }
  const { file, stderr, code } = await importCsv(
    `id,meter,externalId,note,time\n${rows.join('\n')}`,
    '--dry-run',
  )
  expect(code).toBe(1)
  expect(fake.asked.map(({ body }) => (body as unknown[]).length)).toEqual([1000, 500])
  // Two lines a row after the first line: the third event begins on line 6, the 1003rd on line 2006.
  expect(stderr).toContain(`${file}:6 #/externalId  Nobody.`)
  expect(stderr).toContain(`${file}:2006 #/externalId  Nobody.`)
  fake.answers = {
    'POST /v1/usage-events?dryRun=true': { body: { accepted: 5, duplicates: 2, conflicts: [] } },
  }
  expect((await importCsv('id,meter,externalId,time\n1,calls,ada,x\n', '--dry-run')).stdout).toBe(
    '5 would be new, 2 known already\n',
  )
})

test('a dry run goes on after a line that is no JSON, and tells it with the other faults; an import stops there', async () => {
  const event = '{"id":"1","meter":"calls","externalId":"ada","time":"2026-01-31T09:30:00Z"}'
  const problem = {
    ...{ type: 'about:blank', title: 'T.', status: 422, code: 'usage_event_invalid', detail: 'd' },
    errors: [{ pointer: '#/1/externalId', code: 'customer_unknown', detail: 'Nobody.' }],
  }
  fake.answers = { 'POST /v1/usage-events?dryRun=true': { status: 422, body: problem } }
  const file = join(fake.folder, 'usage.ndjson')
  writeFileSync(file, `${event}\nnot json\n${event}\n`)
  const dry = await lockstep(['usage', 'import', file, '--dry-run'])
  expect(dry.code).toBe(1)
  expect(dry.stderr).toContain(`${file}:2  This is not JSON: `)
  // The second event stands on the third line.
  expect(dry.stderr).toContain(`${file}:3 #/externalId  Nobody.`)

  const sent = await lockstep(['usage', 'import', file])
  expect(sent).toMatchObject({ code: 2, stderr: expect.stringContaining(`${file}:2 is not JSON`) })
})

test('a clock is found by its name and turned until it stands still', async () => {
  const clock = {
    id: 'test_clock_1',
    name: 'ada',
    frozenTime: '2026-01-01T00:00:00Z',
    status: 'ready',
    target: null,
  }
  fake.answers = {
    'GET /v1/test-clocks?limit=100': page(clock),
    'POST /v1/test-clocks/test_clock_1/advance': { status: 202, body: { ...clock, status: 'advancing' } },
    'GET /v1/test-clocks/test_clock_1': { body: { ...clock, frozenTime: '2026-02-01T00:00:00Z' } },
  }
  const { stdout, code } = await lockstep(['clock', 'advance', 'ada', '--to', '2026-02-01'])
  expect(stdout).toBe('It is 2026-02-01 now.\n')
  expect(code).toBe(0)
  expect(fake.asked.find(({ request }) => request.startsWith('POST'))?.body).toEqual({
    frozenTime: '2026-02-01T00:00:00Z',
  })

  fake.answers['GET /v1/test-clocks/test_clock_1'] = { body: clock }
  const given = await lockstep(['clock', 'advance', 'ada', '--to', '2026-02-01'])
  expect(given).toMatchObject({ code: 1, stderr: expect.stringContaining('It stopped at 2026-01-01') })
})

test('a registration that ends badly ends the command badly, and names its stage', async () => {
  const registration = {
    id: 'registration_1',
    externalId: 'ada',
    plan: 'team',
    planVersion: 1,
    customer: 'customer_1',
    subscription: 'subscription_1',
    purchase: 'membership',
    requestOrigin: 'cli',
    state: 'rolledBack',
    stage: 'start subscription',
    steps: [
      {
        name: 'record user',
        state: 'done',
        needs: [],
        handsOn: ['user'],
        startedAt: '2026-01-01T00:00:00Z',
        endedAt: '2026-01-01T00:00:00Z',
      },
    ],
    action: null,
    remains: ['user'],
    nextAttemptAt: null,
    problem: { code: 'card_declined', title: 'The card was declined.', detail: 'Insufficient funds.' },
  }
  fake.answers = {
    'POST /v1/registrations': { status: 202, body: registration },
    'GET /v1/registrations/registration_1': { body: registration },
  }
  const { stdout, code } = await lockstep(['registrations', 'create', 'ada', '--plan', 'team'])
  expect(stdout).toContain('start subscription: The card was declined. Insufficient funds.')
  expect(stdout).toContain('what remains: user')
  expect(code).toBe(1)
  expect(fake.asked[0]?.body).toEqual({ externalId: 'ada', plan: 'team', requestOrigin: 'cli' })
})

test('what is said of a registration is sent as it is: where the customer is, what was accepted, facts of your own', async () => {
  const said = [
    '--country',
    'DE',
    '--city',
    'Berlin',
    '--postal-code',
    '10115',
    '--line1',
    'Invalidenstraße 43',
  ]
  const more = [
    '--terms',
    '2026-11',
    '--metadata',
    'team=blue',
    '--metadata',
    'sum=1+1=2',
    '--currency',
    'eur',
  ]
  await lockstep(['registrations', 'create', 'ada', '--plan', 'team', ...said, ...more])
  expect(fake.asked[0]?.body).toEqual({
    ...{ externalId: 'ada', plan: 'team', requestOrigin: 'cli', currency: 'eur' },
    acceptance: { termsVersion: '2026-11' },
    metadata: { team: 'blue', sum: '1+1=2' },
    address: { country: 'DE', city: 'Berlin', postalCode: '10115', line1: 'Invalidenstraße 43' },
  })
  const { stderr, code } = await lockstep(['registrations', 'create', 'ada', '--metadata', 'blue'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('Write it as name=value.')])
})

test('registrations are listed by whose they are, what of, and why they came to nothing', async () => {
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/registrations?plan=team&cause=declined&customer=customer_1&limit=50': page(),
  }
  const filter = ['--customer', 'ada', '--plan', 'team', '--cause', 'declined']
  expect((await lockstep(['registrations', 'list', ...filter])).code).toBe(0)
})

test('what went on untaxed is seen on the registration', async () => {
  const tax = { provider: 'avalara', status: 'unavailable', metadata: {} }
  const body = {
    ...{ id: 'registration_1', externalId: 'ada', plan: 'team', planVersion: 1, customer: 'customer_1' },
    ...{ subscription: 'subscription_1', purchase: 'membership', requestOrigin: null, state: 'completed' },
    ...{ stage: 'conclude contract', steps: [], action: null, remains: [], nextAttemptAt: null },
    ...{ problem: null, tax },
  }
  fake.answers = { 'GET /v1/registrations/registration_1': { body } }
  const { stdout } = await lockstep(['registrations', 'show', 'registration_1'])
  expect(stdout).toContain('tax           unavailable, by avalara')
})

test('what a customer may use is a table, and a feature that is asked about and not allowed ends with 1', async () => {
  const period = { start: '2026-01-31T09:30:00Z', end: '2026-02-28T09:30:00Z' }
  const source = {
    ...{ subscription: 'subscription_1', status: 'active', access: 'full', plan: 'team', planVersion: 1 },
    ...{ addons: [], period },
  }
  const none = { upTo: null, used: null, left: null, cappedBy: null, unitLabel: null }
  const calls = {
    ...{ feature: 'calls', name: 'Calls', kind: 'metered', allowed: false, reason: 'used_up' },
    ...{ ...none, upTo: '100', used: '100', left: '0', source },
  }
  const sso = {
    feature: 'sso',
    name: 'SSO',
    kind: 'switch',
    allowed: true,
    reason: 'granted',
    ...none,
    source,
  }
  fake.answers = {
    'GET /v1/entitlements?customer=ada': { body: { customer: 'customer_1', data: [calls, sso] } },
    'GET /v1/entitlements?customer=ada&feature=calls': { body: { customer: 'customer_1', data: [calls] } },
  }
  const all = await lockstep(['entitlements', 'ada'])
  expect(all.code).toBe(0)
  expect(all.stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    'feature  allowed  why      up to  used  left  by            until',
    'calls    no       used_up  100    100   0     team, active  2026-02-28 09:30',
    'sso      yes      granted                     team, active',
    '',
  ])
  expect((await lockstep(['entitlements', 'ada', '--feature', 'calls'])).code).toBe(1)
})

test('a chain of contracts that is broken is named and ends with 1', async () => {
  const chain = { customer: 'customer_1', contracts: 2, erased: 0 }
  const broken = { contract: 'contract_2', sequence: 2, reason: 'the text is no contract' }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/customers/customer_1/contract-chain': { body: { ...chain, intact: false, head: null, broken } },
  }
  const refused = await lockstep(['contracts', 'verify', 'ada'])
  expect([refused.code, refused.stdout]).toEqual([
    1,
    '✗ broken at number 2, contract_2\n  the text is no contract\n',
  ])
  fake.answers['GET /v1/customers/customer_1/contract-chain'] = {
    body: { ...chain, intact: true, head: 'abc', broken: null },
  }
  const held = await lockstep(['contracts', 'verify', 'ada'])
  expect([held.code, held.stdout]).toEqual([0, '✓ 2 contracts, unbroken\nabc\n'])
})

test('erasing a customer needs a person or --yes, and a dry run changes nothing', async () => {
  const erased = { profiles: 1, acceptances: 1, requests: 0, providerRows: 3 }
  const remains = [{ what: 'invoices', count: 2, why: 'Books are kept by law.' }]
  const paymentMethods = { found: [{ id: 'pm_1', type: 'card' }], waitsFor: ['in_1'] }
  const body = { customer: 'customer_1', dryRun: true, erased, remains, provider: 'queued', paymentMethods }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'POST /v1/customers/customer_1/erasure': { body },
    'POST /v1/customers/customer_1/erasure?dryRun=false': {
      body: { ...body, dryRun: false, provider: 'told', paymentMethods: null },
    },
  }
  const nobody = await lockstep(['customers', 'erase', 'ada'])
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  const { stdout: shown } = await lockstep(['customers', 'erase', 'ada', '--dry-run'])
  expect(shown).toContain('  to detach      pm_1, card\n    not before   in_1 is settled\n')
  expect(fake.asked.filter(({ request }) => request.includes('dryRun=false'))).toEqual([])
  const { stdout, code } = await lockstep(['customers', 'erase', 'ada', '--yes'])
  expect(code).toBe(0)
  expect(stdout).toContain('✓ Erased:')
  expect(stdout).toContain('2 invoices: Books are kept by law.')
})

test('money goes back after it was shown, and only when somebody says yes', async () => {
  const amount = (minor: number) => ({ amount: (minor / 100).toFixed(2), minor: `${minor}`, currency: 'usd' })
  const refunds = 'POST /v1/invoices/invoice_1/refunds'
  fake.answers = {
    [refunds]: {
      body: { invoice: 'invoice_1', amount: amount(750), left: amount(282), creditedSince: amount(968) },
    },
    [`${refunds}?dryRun=false`]: {
      status: 201,
      body: { id: 'refund_1', amount: amount(750), status: 'succeeded' },
    },
  }
  const args = ['invoices', 'refund', 'invoice_1', '7.50', '--reason', 'duplicate', '--key', 'k']
  const dry = await lockstep([...args, '--dry-run'])
  expect(dry).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^Would give back 7.50 usd, leaving 2.82 usd.*\n +credited since by a change +9.68 usd$/m,
    ),
  })
  // Nobody can be asked here: nothing is done.
  expect((await lockstep(args)).code).not.toBe(0)
  expect(fake.asked.map(({ request }) => request)).toEqual([refunds, refunds])
  const done = await lockstep([...args, '--yes'])
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('7.50 usd given back: succeeded') })
  expect(fake.asked.at(-1)).toMatchObject({
    request: `${refunds}?dryRun=false`,
    body: { amount: '7.50', reason: 'duplicate' },
  })

  const notes = 'POST /v1/invoices/invoice_1/credit-notes'
  const parts = { prePayment: amount(0), refunded: amount(0), credited: amount(499), outOfBand: amount(0) }
  fake.answers = {
    [notes]: { body: { invoice: 'invoice_1', total: amount(499), left: amount(1501), ...parts } },
  }
  const credit = ['invoices', 'credit', 'invoice_1', '--paid-part', 'balance', '--dry-run', '--key', 'k']
  expect((await lockstep(credit)).stdout).toMatch(/Would credit 4\.99 usd.*\n.*on the balance +4\.99 usd/)
})

const running = {
  id: 'subscription_1',
  ...{
    customer: 'customer_1',
    externalId: 'ada',
    slot: 'default',
    plan: 'team',
    planVersion: 2,
    status: 'active',
  },
  ...{ access: 'full', pastDueSince: null, graceEndsAt: null, currency: 'usd', quantity: 3 },
  addons: [{ addon: 'backups', version: 1, quantity: 2 }],
  billingCycleAnchor: '2026-01-10T00:00:00Z',
  currentPeriod: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
  ...{
    trial: null,
    cancelAt: '2026-02-10T00:00:00Z',
    cancelAtPeriodEnd: true,
    canceledAt: null,
    endedAt: null,
  },
  startedAt: '2026-01-10T00:00:00Z',
  ...{ modifiedAt: null, collection: 'charging', collectionResumesAt: null, providerId: 'sub_1' },
  ...{ scheduledChange: null, unreadSchedule: null, createdAt: '2026-01-10T00:00:00Z' },
}
const usd = (minor: string) => ({
  amount: `${minor.slice(0, -2)}.${minor.slice(-2)}`,
  minor,
  currency: 'usd',
})

test('ending a subscription needs a person or --yes, and a dry run only says what would be', async () => {
  const preview = {
    endsAt: '2026-01-20T12:00:00Z',
    usage: [{ description: 'Seconds', period: running.currentPeriod, amount: usd('300') }],
    discounts: [{ name: 'Welcome', coupon: 'welcome', amount: usd('100') }],
    ...{ tax: usd('0'), unusedTime: [], toBill: usd('200'), toGiveBack: usd('1323') },
    notGivenBack: [{ reason: 'givenBack', amount: usd('500') }],
  }
  const notGivenBack = [{ reason: 'refused', amount: usd('323') }]
  const problem = { code: 'provider_refused', detail: 'The charge is too old.' }
  const givenBack = { how: 'refund', amount: usd('1000'), notGivenBack, problem }
  fake.answers = {
    'POST /v1/subscriptions/subscription_1/cancel/preview': { body: preview },
    'POST /v1/subscriptions/subscription_1/cancel': {
      body: { state: 'done', subscription: running, givenBack, action: null },
    },
  }
  const cancel = (...more: string[]) => lockstep(['subscriptions', 'cancel', 'subscription_1', ...more])
  const nobody = await cancel('--now', '--refund')
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  const dry = await cancel('--now', '--refund', '--dry-run')
  expect(dry.stdout).toContain('It would end on 2026-01-20 12:00.')
  expect(dry.stdout).toContain('taken off   1.00 usd, Welcome\nbilled      2.00 usd\ngiven back  13.23 usd')
  expect(dry.stdout).toContain('kept        5.00 usd: given back before, or taken by the bank')
  expect(fake.asked.every(({ request }) => request.endsWith('/preview'))).toBe(true)
  const done = await cancel('--now', '--refund', '--yes')
  expect(done.stdout).toContain('given back  10.00 usd as refund')
  expect(done.stdout).toContain('kept        3.23 usd: the provider refused\n✗ The charge is too old.')
  expect(fake.asked.at(-1)?.body).toEqual({ when: 'now', unusedTime: 'refund', reason: 'admin' })
  expect((await cancel('--now', '--at', '2026-03-01')).code).toBe(2)
})

const terms = (plan: string, addons: object[] = []) => ({ plan, planVersion: 1, quantity: 1, addons })
const planChange = {
  ...{ id: 'plan_change_1', subscription: 'subscription_1', customer: 'customer_1' },
  ...{ from: terms('starter'), to: terms('premium'), coupons: [], withoutCoupons: [] },
  ...{ direction: 'upgrade', takesEffect: 'now' },
  ...{ state: 'applying', action: null, problem: null, dueAt: null, effectiveAt: null, contract: null },
  ...{ requestedBy: 'api_key_1', requestOrigin: 'cli', createdAt: '2026-01-10T00:00:00Z' },
}

test('a change of plan is shown, needs a person or --yes, and says where it is to be finished', async () => {
  const line = { period: running.currentPeriod, quantity: 1, isProration: false }
  const preview = {
    ...{
      subscription: 'subscription_1',
      from: terms('starter'),
      to: terms('premium', [{ addon: 'backups', version: 1, quantity: 3 }]),
    },
    ...{
      direction: 'upgrade',
      takesEffect: 'now',
      takesEffectAt: '2026-01-10T00:00:00Z',
      startsPeriod: true,
    },
    dueNow: {
      at: '2026-01-10T00:00:00Z',
      lines: [{ ...line, description: '1 × Premium', amount: usd('900') }],
      ...{ subtotal: usd('900'), total: usd('900'), amountDue: usd('400'), credited: usd('0') },
    },
    ...{ nextInvoice: null, recurring: usd('900'), contractChanges: ['plan: starter → premium'] },
    ...{ warnings: [], withdraws: null, needsPaymentPage: true, secondOpinion: 'agrees' },
    ...{ token: 'preview1.x', expiresAt: '2026-01-10T01:00:00Z' },
  }
  const action = {
    type: 'providePaymentMethod',
    url: 'https://pages.example/c1',
    expiresAt: '2026-01-11T00:00:00Z',
  }
  const waiting = { ...planChange, state: 'requiresAction', action }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/subscriptions?customer=customer_1': page(running, {
      ...running,
      id: 'subscription_0',
      access: 'ended',
    }),
    'POST /v1/subscriptions/subscription_1/preview': { body: preview },
    'PATCH /v1/subscriptions/subscription_1': {
      status: 202,
      body: { subscription: running, change: planChange },
    },
    'GET /v1/subscriptions/subscription_1/changes/plan_change_1': { body: waiting },
  }
  const change = (...more: string[]) =>
    lockstep(['subscriptions', 'change', 'ada', '--plan', 'premium', '--when', 'now', ...more])
  const nobody = await change()
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  const dry = await change('--dry-run')
  expect(dry.stdout).toContain('starter v1 → premium v1 + backups × 3: upgrade, takes effect at once')
  expect(dry.stdout).toMatch(/1 × Premium +2026-01-10 … 2026-02-10 +9\.00/)
  expect(dry.stdout).toMatch(/charged +4\.00/)
  expect(dry.stdout).toContain('contract    plan: starter → premium')
  expect(fake.asked.some(({ request }) => request.startsWith('PATCH'))).toBe(false)

  const addons = ['--addon', 'backups=3', '--addon', 'seats', '--without-addon', 'support']
  const done = await change(
    '--quantity',
    '2',
    '--coupon',
    'friend',
    '--without-coupon',
    'season',
    ...addons,
    '--yes',
  )
  expect(done).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('until 2026-01-11: https://pages.example/c1'),
  })
  expect(fake.asked.find(({ request }) => request.startsWith('PATCH'))?.body).toEqual({
    ...{ plan: 'premium', quantity: 2, coupons: ['friend'], withoutCoupons: ['season'] },
    ...{ when: 'now', requestOrigin: 'cli' },
    addons: [
      { addon: 'backups', quantity: 3 },
      { addon: 'seats', quantity: 1 },
      { addon: 'support', quantity: 0 },
    ],
  })

  const problem = { code: 'card_declined', title: 'The card was declined.', detail: 'Insufficient funds.' }
  fake.answers['GET /v1/subscriptions/subscription_1/changes/plan_change_1'] = {
    body: { ...planChange, state: 'refused', problem },
  }
  const refused = await change('--yes')
  expect(refused).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('The card was declined. Insufficient funds.'),
  })
})

test('a subscription, its history and the figures are shown', async () => {
  const stretch = {
    ...{ subscription: 'subscription_1', startsAt: '2026-01-10T00:00:00Z', endsAt: null, status: 'active' },
    ...{
      access: 'full',
      plan: 'team',
      planVersion: 2,
      quantity: 3,
      fee: usd('2700'),
      collection: 'charging',
    },
    ...{ cancelAt: null, cancelAtPeriodEnd: true, cause: 'cancel', actor: 'api_key_1', reason: 'nonPayment' },
    recordedAt: '2026-01-10T00:00:00Z',
  }
  const percent = { kind: 'percent', percent: '30' }
  const lasts = { start: '2026-01-10T00:00:00Z', end: null, duration: 'forever', months: null }
  const discounts = [
    { ...lasts, name: 'Season', coupon: 'season', off: percent, source: 'subscription' },
    {
      ...lasts,
      name: 'Sorry',
      coupon: null,
      off: { kind: 'amount', amount: usd('500') },
      source: 'customer',
    },
  ]
  const movements = { new: usd('2700'), reactivation: usd('000'), expansion: usd('000') }
  fake.answers = {
    'GET /v1/subscriptions/subscription_1?expand=discounts': { body: { ...running, discounts } },
    'GET /v1/subscriptions/subscription_1/history': page(stretch),
    'GET /v1/subscription-stats?since=2026-01-01T00%3A00%3A00Z': {
      body: {
        ...{ at: null, since: '2026-01-01T00:00:00Z', subscribers: 1, subscriptions: 1, failingCards: 0 },
        ...{ byStatus: [{ status: 'active', subscriptions: 1 }], ending: 1, trialsEnding: 0 },
        plans: [{ plan: 'team', subscriptions: 1, mrr: [usd('2700')] }],
        revenue: [
          {
            currency: 'usd',
            mrr: usd('2700'),
            movements: { ...movements, contraction: usd('000'), churn: usd('000') },
          },
        ],
      },
    },
  }
  const shown = await lockstep(['subscriptions', 'show', 'subscription_1'])
  expect(shown.stdout).toContain('ada on team, version 2 × 3: active')
  expect(shown.stdout).toContain('with          backups, version 1 × 2')
  expect(shown.stdout).toContain('less          30 %, Season (season)\nless          5.00 usd, Sorry\n')
  expect(shown.stdout).toContain('ends          2026-02-10')
  expect(shown.stdout).not.toContain('then')
  const change = { id: 'plan_change_1', plan: 'basic', planVersion: 1, quantity: 2, addons: [] }
  fake.answers['GET /v1/subscriptions/subscription_1?expand=discounts'] = {
    body: { ...running, scheduledChange: { ...change, takesEffectAt: '2026-02-10T00:00:00Z' } },
  }
  const then = await lockstep(['subscriptions', 'show', 'subscription_1'])
  expect(then.stdout).toContain('then          basic, version 1 × 2, without add-ons, from 2026-02-10\n')
  expect(then.stdout).toContain('plan_change_1')
  const history = await lockstep(['subscriptions', 'history', 'subscription_1'])
  expect(history.stdout).toMatch(
    /2026-01-10 +… +active +team v2 +27\.00 usd +cancel \(nonPayment\) +api_key_1/,
  )
  const stats = await lockstep(['subscriptions', 'stats', '--since', '2026-01-01'])
  expect(stats.stdout).toMatch(/usd +27\.00 +27\.00/)
})
