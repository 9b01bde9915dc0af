import type { InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'

const DAY = 86_400

/** The notices around the day on which an invoice that was sent has to be paid. https://docs.stripe.com/api/events/types */
export function armDue(world: World, { id, due_date: due, own }: InvoiceRow): void {
  const days = world.settings.willBeDueDays
  const notice = due === null || days === null ? null : due - days * DAY
  const late = notice !== null && notice <= world.now(own.clock)
  world.alarm('invoice.will_be_due', id, own.clock, late ? null : notice)
  world.alarm('invoice.overdue', id, own.clock, due)
}

/** Paid, void or given up: nobody is reminded of it any more. */
export function callOffDue(world: World, { id, own }: InvoiceRow): void {
  world.alarm('invoice.will_be_due', id, own.clock, null)
  world.alarm('invoice.overdue', id, own.clock, null)
}
