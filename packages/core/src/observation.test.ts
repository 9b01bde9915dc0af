import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { decide } from './observation.ts'

const first = { eventCreated: 100, lastEventCreated: null, ownSince: false, terminal: false }

test('a payload is taken only when nothing can be newer', () => {
  expect(decide(first)).toBe('apply')
  expect(decide({ ...first, lastEventCreated: 99 })).toBe('apply')
  expect(decide({ ...first, lastEventCreated: 100, isLastOfSecond: true })).toBe('apply')
})

test.each([
  ['of the same second', { lastEventCreated: 100 }],
  ['older', { lastEventCreated: 101 }],
  ['older, the last of its second', { lastEventCreated: 101, isLastOfSecond: true }],
  [
    'of the same second, its last, after an answer of our own',
    { lastEventCreated: 100, isLastOfSecond: true, ownSince: true },
  ],
  ['after an answer of our own', { ownSince: true }],
  ['newer, after an answer of our own', { lastEventCreated: 99, ownSince: true }],
  ['for what is over', { terminal: true }],
  ['of another API version', { otherVersion: true }],
])('an event %s is a reason to look', (_name, part) => {
  expect(decide({ ...first, ...part })).toBe('fetch')
})

interface World {
  /** The versions of one object at the provider; several may fall into one second. */
  readonly created: readonly number[]
  /** What happens here, in order: an event delivered (once, twice, late), or an answer of our own. */
  readonly arrivals: readonly { readonly version: number; readonly own: boolean }[]
}

const worlds: fc.Arbitrary<World> = fc
  .array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 })
  .chain((gaps) => {
    let second = 0
    const created = gaps.map((gap) => {
      second += gap
      return second
    })
    const versions = created.map((_, version) => version)
    const delivery = fc.record({ version: fc.constantFrom(...versions), own: fc.boolean() })
    const onceEach = fc.shuffledSubarray(versions, { minLength: versions.length })
    return fc
      .tuple(onceEach, fc.array(delivery, { maxLength: 20 }), fc.infiniteStream(fc.nat(40)))
      .map(([order, more, places]) => {
        const arrivals = order.map((version) => ({ version, own: false }))
        for (const extra of more)
          arrivals.splice((places.next().value ?? 0) % (arrivals.length + 1), 0, extra)
        return { created, arrivals }
      })
  })

test('however events come, we end with what the provider has', () => {
  fc.assert(
    fc.property(worlds, ({ created, arrivals }) => {
      // The provider has moved on at least to the newest version that has arrived.
      let truth = 0
      let held = -1
      let lastEventCreated: number | null = null
      let ownSince = false
      for (const { version, own } of arrivals) {
        truth = Math.max(truth, version)
        const eventCreated = created[version] ?? 0
        if (own) {
          // A write or fetch of our own is answered with the newest state.
          held = truth
          ownSince = true
          continue
        }
        const look = decide({ eventCreated, lastEventCreated, ownSince, terminal: false })
        held = look === 'fetch' ? truth : version
        ownSince ||= look === 'fetch'
        lastEventCreated = Math.max(lastEventCreated ?? 0, eventCreated)
      }
      expect(held).toBe(created.length - 1)
    }),
    { numRuns: 500 },
  )
})
