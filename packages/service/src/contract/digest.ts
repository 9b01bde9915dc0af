import { createHash, randomBytes } from 'node:crypto'
import type { Sha256 } from '@lockstep/core/contract'

export const sha256: Sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('hex')

export const newSalt = (): string => randomBytes(32).toString('hex')
