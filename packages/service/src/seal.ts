import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts an answer so that only who presents `secret` again can read it: a key derived from the
 * caller's own, which we do not keep. So no link and no key made for a caller lies in the database.
 */
export function seal(text: string, secret: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, context), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** Opens what any of the secrets sealed. Throws when the secret, the context or the text is another. */
export function unseal(sealed: string, secrets: readonly string[], context: string): string {
  const [secret, ...older] = secrets
  if (secret === undefined) throw new Error('None of the secrets opens it.')
  try {
    return open(sealed, secret, context)
  } catch (error) {
    if (older.length === 0) throw error
    return unseal(sealed, older, context)
  }
}

function open(sealed: string, secret: string, context: string): string {
  const bytes = Buffer.from(sealed, 'base64')
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, context), nonce, {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(tag)
  return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}

const keyOf = (secret: string, context: string) =>
  Buffer.from(hkdfSync('sha256', secret, context, 'lockstep answer', 32))
