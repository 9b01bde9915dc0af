import type Stripe from 'stripe'
import { advanceCursor, linkedPictures, openCursor, resetCursor } from '../../store/imports.ts'
import type { LookDeps } from '../look.ts'

/** What an import goes over behind the lists: every subscription that is linked, as the provider showed it. */
export const comparedTypes = ['subscription again', 'subscription proved'] as const

export type ComparedType = (typeof comparedTypes)[number]

interface ToCompare {
  readonly importId: string
  readonly type: ComparedType
  /** From the first one, whatever was compared before. */
  readonly anew: boolean
}

interface ComparedPage {
  readonly objects: readonly Stripe.Subscription[]
  /** Moves the mark behind it. The others were as they should be. */
  compared(counts: { readonly made: number; readonly refused: number }): Promise<void>
}

/** They move a mark as pages of lists do, so that it is seen how far it is. */
export async function* comparedPages(
  { db, clock, provider }: LookDeps,
  { importId, type, anew }: ToCompare,
): AsyncGenerator<ComparedPage> {
  if (anew) await resetCursor(db, { importId, type, at: clock.now() })
  const { lastId: start, endedAt } = await openCursor(db, importId, type, clock.now())
  if (endedAt !== null) return
  let lastId = start
  const advance = (looked: number, { made, refused }: Parameters<ComparedPage['compared']>[0]) => ({
    ...{ looked, made, refused, known: looked - made - refused },
    ...{ foreignObjects: 0, leftAlone: 0, metered: 0 },
  })
  for await (const page of linkedPictures(db, provider, 'subscription', start ?? '')) {
    yield {
      objects: page.map(({ raw }) => raw as Stripe.Subscription),
      compared: async (counts) => {
        const next = page.at(-1)?.id ?? null
        const moved = { ...advance(page.length, counts), lastId: next, endedAt: null }
        await advanceCursor(db, { importId, type, lastId }, moved)
        lastId = next
      },
    }
  }
  const end = { ...advance(0, { made: 0, refused: 0 }), lastId: null, endedAt: clock.now() }
  await advanceCursor(db, { importId, type, lastId }, end)
}
