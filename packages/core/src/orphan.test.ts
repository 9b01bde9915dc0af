import { expect, test } from 'vitest'
import { judgeOrphan, type Orphan } from './orphan.ts'

const S = 'subscription'
const C = 'customer'

// What it is, whose, how far its workflow came, live, charged → what becomes of it.
test.each<[string, Orphan['subject'], Orphan['workflow'], boolean, boolean, string]>([
  [S, 'unlinked', 'underWay', true, false, 'wait'],
  [S, 'unlinked', 'parked', true, true, 'wait'],
  [S, 'unlinked', 'completed', true, true, 'adopt'],
  [S, 'unlinked', 'undone', true, false, 'remove'],
  [S, 'unlinked', 'undone', true, true, 'park'],
  [S, 'unlinked', 'undone', false, false, 'leave'],
  [S, 'linked_elsewhere', 'completed', true, false, 'park'],
  [S, 'linked_elsewhere', 'undone', true, false, 'park'],
  [S, 'linked_elsewhere', 'completed', false, true, 'leave'],
  [S, 'unknown', 'none', true, false, 'park'],
  [S, 'unknown', 'none', false, false, 'leave'],
  [C, 'unlinked', 'none', true, false, 'adopt'],
  [C, 'unlinked', 'undone', true, false, 'adopt'],
  [C, 'unlinked', 'underWay', true, false, 'wait'],
  [C, 'linked_elsewhere', 'undone', true, false, 'park'],
  [C, 'unknown', 'none', true, false, 'park'],
])('a %s, %s, %s, live %s, charged %s: %s', (what, subject, workflow, live, charged, verdict) => {
  expect(judgeOrphan({ subject, workflow, live, charged, removable: what === S }).verdict).toBe(verdict)
})

test('nothing that anybody paid for, and nothing that is not known here, is ever removed', () => {
  for (const subject of ['unknown', 'unlinked', 'linked_elsewhere'] as const)
    for (const workflow of ['none', 'underWay', 'parked', 'completed', 'undone'] as const)
      for (const live of [true, false])
        for (const charged of [true, false])
          for (const removable of [true, false]) {
            const { verdict } = judgeOrphan({ subject, workflow, live, charged, removable })
            if (verdict !== 'remove') continue
            expect({ subject, workflow, charged, removable }).toEqual({
              subject: 'unlinked',
              workflow: 'undone',
              charged: false,
              removable: true,
            })
          }
})
