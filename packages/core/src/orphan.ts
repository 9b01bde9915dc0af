/**
 * An object at the provider that carries our name and that no row of ours points to. A crash may leave
 * one behind, or a database that was set back to yesterday.
 */
export interface Orphan {
  /** What it was made for: a row of ours, by the object's own word. */
  readonly subject: 'unknown' | 'unlinked' | 'linked_elsewhere'
  /** How far the workflow came that made it; `none`: it was made outside of one. */
  readonly workflow: 'none' | 'underWay' | 'parked' | 'completed' | 'undone'
  /** It still runs: it may charge somebody. A customer always does. */
  readonly live: boolean
  /** Somebody paid for it. */
  readonly charged: boolean
  /** Taking it away takes nothing else away. */
  readonly removable: boolean
}

/**
 * `adopt`: it is what our row lacks. `remove`: we undid it and it stayed. `wait`: somebody is at work on it.
 * `leave`: it is over and does no harm. `park`: only a person can tell.
 */
export interface Verdict {
  readonly verdict: 'adopt' | 'remove' | 'wait' | 'leave' | 'park'
  readonly reason: string
}

/**
 * What becomes of an orphan. Removed is only what was never charged and what we know to have undone;
 * adopted only what our own row is waiting for. Everything else is a person's to decide: a guess here
 * would end somebody's subscription, or pay for it twice.
 */
export function judgeOrphan({ subject, workflow, live, charged, removable }: Orphan): Verdict {
  if (workflow === 'underWay') return { verdict: 'wait', reason: 'The workflow that made it is under way.' }
  if (!live) return { verdict: 'leave', reason: 'It is over.' }
  if (subject === 'unknown') {
    const reason = 'Nothing here says what it was made for. Was the database set back, or a row deleted?'
    return { verdict: 'park', reason }
  }
  if (workflow === 'parked')
    return { verdict: 'wait', reason: 'The workflow that made it waits for a person already.' }
  if (subject === 'linked_elsewhere') {
    return {
      verdict: 'park',
      reason: 'Our row is linked to another object of the provider: this is a second one.',
    }
  }
  if (workflow !== 'undone') return { verdict: 'adopt', reason: 'Our row is there and has no link yet.' }
  // A customer stays when its registration is undone: a base to come back to.
  if (!removable) return { verdict: 'adopt', reason: 'Our row stayed when its registration was undone.' }
  if (charged) return { verdict: 'park', reason: 'It was undone here, but somebody paid for it.' }
  return { verdict: 'remove', reason: 'It was undone here and never paid for.' }
}
