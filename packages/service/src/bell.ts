import { EventEmitter } from 'node:events'

/**
 * Tells a worker of the same process that there is something to do now, so that it need not wait for
 * its next look. Only a hint: the work itself is a row, and other processes find it by looking.
 */
export type Bell = EventEmitter<{ inbox: []; bus: []; workflow: [] }>

export const newBell = (): Bell => new EventEmitter()
