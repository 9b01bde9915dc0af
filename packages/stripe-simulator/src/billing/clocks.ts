import type { World } from '../world.ts'
import { endSubscription } from './end.ts'

/** A deleted clock takes its customers with it and ends their subscriptions. */
export function deleteClock(world: World, id: string): void {
  const clock = world.testClocks.get(id)
  if (clock === undefined) return
  for (const customer of world.customers.by('clock', id)) deleteCustomer(world, customer.id)
  for (const alarm of world.alarms.by('clock', id)) world.alarms.delete(alarm.id)
  world.alarm('clock.delete', id, null, null)
  world.testClocks.delete(id)
  world.emit('test_helpers.test_clock.deleted', clock)
}

/** Deleting cancels what runs, at once and for good. The customer stays readable as deleted. */
export function deleteCustomer(world: World, id: string): void {
  const customer = world.customers.must(id)
  if (customer.own.deleted) return
  for (const subscription of world.subscriptions.by('customer', id)) {
    if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') continue
    endSubscription(world, subscription.id, { reason: 'cancellation_requested', asked: true })
  }
  for (const item of world.invoiceItems.by('pending', id)) world.invoiceItems.delete(item.id)
  world.emit('customer.deleted', customer)
  world.customers.patch(id, { own: { ...customer.own, deleted: true } })
}
