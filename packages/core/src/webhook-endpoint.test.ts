import { expect, test } from 'vitest'
import { differenceOf, planEndpoint, type SeenEndpoint } from './webhook-endpoint.ts'

const wanted = { url: 'https://a.example/webhooks/stripe', version: 'v2', events: ['a.x', 'b.y'] }
const seen = (more: Partial<SeenEndpoint> = {}): SeenEndpoint => ({
  id: 'we_1',
  url: wanted.url,
  enabled: true,
  version: 'v2',
  events: ['b.y', 'a.x'],
  created: 100,
  secretPrint: null,
  ...more,
})
const same = { missing: [], surplus: [], disabled: false, otherVersion: undefined }

test.each<[string, Partial<SeenEndpoint>, object]>([
  ['the same, in whatever order', {}, same],
  ['one too few', { events: ['a.x'] }, { ...same, missing: ['b.y'] }],
  ['one too many', { events: ['a.x', 'b.y', 'c.z'] }, { ...same, surplus: ['c.z'] }],
  ['all there are', { events: ['*'] }, { ...same, surplus: ['*'] }],
  ['disabled', { enabled: false }, { ...same, disabled: true }],
  ['an older version', { version: 'v1' }, { ...same, otherVersion: 'v1' }],
  ["the account's version", { version: null }, { ...same, otherVersion: "the account's" }],
])('what differs: %s', (_name, more, difference) => {
  expect(differenceOf(wanted, seen(more))).toEqual(difference)
})

const story = (wish: Parameters<typeof planEndpoint>[2], ...all: SeenEndpoint[]) =>
  planEndpoint(wanted, all, wish).map((step) =>
    step.do === 'create' ? 'create' : `${step.do} ${step.endpoint.id}`,
  )

test('where there is none, one is made, whatever was wished for', () => {
  const elsewhere = seen({ url: 'https://b.example/webhooks/stripe' })
  for (const wish of ['set up', 'rotate', 'retire'] as const)
    expect(story(wish, elsewhere)).toEqual(['create'])
})

test('one that sends what is needed is left, and one that does not is brought to it', () => {
  expect(story('set up', seen())).toEqual(['keep we_1'])
  expect(story('set up', seen({ events: ['*'] }))).toEqual(['update we_1'])
  // A version cannot be changed, only replaced: that is for a rotation.
  expect(story('set up', seen({ version: 'v1' }))).toEqual(['keep we_1'])
})

test('a rotation makes a second one beside the first, and ends with the newest alone', () => {
  const [first, second] = [seen(), seen({ id: 'we_2', created: 200 })]
  expect(story('rotate', first)).toEqual(['create', 'keep we_1'])
  expect(story('set up', first, second)).toEqual(['keep we_2', 'keep we_1'])
  expect(story('retire', first, second)).toEqual(['keep we_2', 'retire we_1'])
  expect(story('retire', second)).toEqual(['keep we_2'])
  // Its secret was lost: one more is made, and is called that.
  expect(planEndpoint(wanted, [first, second], 'rotate')[0]).toEqual({
    do: 'create',
    because: 'One more beside 2, so that all secrets hold for a while.',
  })
})
