import { propertyNames } from '@lockstep/core/subscription-properties'
import { expect, test } from 'vitest'
import { subscription } from './subscriptions.ts'

test('of each property that is shown it is declared who may change it', () => {
  const declared = new Set<string>(propertyNames)
  expect(Object.keys(subscription.shape).filter((name) => !declared.has(name))).toEqual([])
})
