import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import {
  type Announced,
  addUpSum,
  announceSum,
  forgetShorterSums,
  type Stretch,
  summedUntil,
} from '../store/usage-sums.ts'

/** Adds up in advance what invoices are made of that are read again and again. One for each process. */
export interface SumsAhead {
  /** An invoice was read. `now`: of the customer's own time. */
  noticeRead(invoice: ReadInvoice, now: Instant): void
  /** Ends when nothing is in hand any more. */
  settled(): Promise<void>
  /** Takes no more, and ends as well. */
  close(): Promise<void>
}

type ReadInvoice = Pick<InvoiceRow, 'customerId' | 'status' | 'planVersionId' | 'periodStart' | 'periodEnd'>

interface Deps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

interface Seen {
  /** Not looked at before. */
  next: Instant
  announced?: Announced | undefined
}

const SECONDS_PER_DAY = 86_400

/** Whoever was at work when a sum was announced has mostly ended by then. */
const SOON_SECONDS = 1

/** Usage that came late may have taken a sum away. */
const AGAIN_SECONDS = 60

/** Invoices that are remembered; of more than these, the one that came first is forgotten. */
const MOST = 10_000

/**
 * Nothing is done for who reads once. With the reads of later seconds a sum is announced and then made, in the background, one
 * at a time: who finds another at work is left to the next read. It reaches to a midnight that is more than a day ago, so
 * that little usage comes for it and it has to be made once a day.
 */
export function newSumsAhead({ db, clock, log }: Deps): SumsAhead {
  const seen = new Map<string, Seen>()
  let atWork: Promise<void> | undefined
  let closed = false

  /** Answers in how many seconds to look again. */
  const step = async (
    one: Seen,
    { end, ...stretch }: Stretch & { readonly end: Instant },
  ): Promise<number> => {
    const { announced } = one
    if (announced) {
      one.announced = undefined
      if (!(await addUpSum(db, announced))) return SOON_SECONDS
      await forgetShorterSums(db, announced)
      return AGAIN_SECONDS
    }
    const summed = await summedUntil(db, { ...stretch, end })
    if (summed !== undefined && summed >= stretch.until) return AGAIN_SECONDS
    one.announced = await announceSum(db, stretch)
    return SOON_SECONDS
  }

  return {
    noticeRead: ({ customerId, status, planVersionId, periodStart: starts, periodEnd: end }, now) => {
      const until = Math.min(midnightBefore(now - SECONDS_PER_DAY), end)
      if (isFrozen(status) || planVersionId === null || until <= starts || closed) return
      const key = `${customerId} ${starts}`
      const at = clock.now()
      const one = seen.get(key)
      if (!one) {
        const [first] = seen.keys()
        if (seen.size >= MOST && first !== undefined) seen.delete(first)
        seen.set(key, { next: at + SOON_SECONDS })
        return
      }
      if (at < one.next || atWork) return
      atWork = step(one, { customerId, starts, until, end })
        .catch((err: unknown) => {
          log.warn({ err, customer: customerId }, 'Usage could not be added up in advance.')
          return AGAIN_SECONDS
        })
        .then((seconds) => {
          one.next = clock.now() + seconds
          atWork = undefined
        })
    },
    settled: async () => atWork,
    close: async () => {
      closed = true
      await atWork
    },
  }
}

const midnightBefore = (at: Instant): Instant => Math.floor(at / SECONDS_PER_DAY) * SECONDS_PER_DAY
