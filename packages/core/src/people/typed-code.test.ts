import { describe, expect, test } from 'vitest'
import { typedCode } from './typed-code.ts'

const digits = { alphabet: '0123456789', length: 6 }
const letters = { alphabet: 'BCDFGHJKLMNPQRSTVWXZ', length: 8 }
const mixed = { alphabet: 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789', length: 10 }
const lower = { alphabet: 'abcdef0123456789', length: 6 }

describe('a code is normalised as its alphabet allows', () => {
  test.each([
    ['as it is', '428117'],
    ['a zero in front', '028117', '028117'],
    ['spaces', ' 428 117\n'],
    ['every one apart', '4 2 8 1 1 7'],
    ['dashes', '428-117'],
    ['an en dash, a minus', '42–81−17'],
    ['dots', '428.117.'],
    ['middle dots', '428·117'],
    ['no-break and thin spaces', '428\u00a0117\u2009'],
    ['zero-width characters', '428\u200b117\ufeff'],
    ['a soft hyphen, marks of direction', '\u202a428\u00ad117\u202c'],
    ['full-width digits', '\uff14\uff12\uff18\uff11\uff11\uff17'],
    ['full-width, with an ideographic space', '\uff14\uff12\uff18\u3000\uff11\uff11\uff17'],
    ['quoted', '“428117”'],
  ])('%s', (_, typed, code = '428117') => {
    expect(typedCode(typed, digits)).toBe(code)
  })

  test.each([
    ['lower case', 'wdjb-mjht', letters, 'WDJBMJHT'],
    [
      'full-width letters in lower case',
      '\uff57\uff44\uff4a\uff42\u2010\uff4d\uff4a\uff48\uff54',
      letters,
      'WDJBMJHT',
    ],
    ['upper case where the alphabet is lower', 'AB 12 CD', lower, 'ab12cd'],
    ['both cases mean something', 'aB-cD-eF-23-4h', mixed, 'aBcDeF234h'],
  ])('%s', (_, typed, form, code) => {
    expect(typedCode(typed, form)).toBe(code)
  })
})

describe('a sentence is taken if exactly one code is in it', () => {
  test.each([
    ['the code is 428 117', digits, '428117'],
    ['Your code: 428-117.', digits, '428117'],
    ['it says "428117", good for 10 minutes', digits, '428117'],
    ['Code 428117', digits, '428117'],
    ['the code is WDJB-MJHT', letters, 'WDJBMJHT'],
  ])('%s', (typed, form, code) => {
    expect(typedCode(typed, form)).toBe(code)
  })

  test.each([
    ['two', 'is it 428117 or 428118', 'more than one'],
    ['the same twice', '428117, I repeat: is 428117', 'more than one'],
    ['two side by side', '428117 428118', 'this has 12'],
    ['a number beside it', 'the code is 12 428 117', 'something else'],
    ['a longer number', 'the code is 4281170', 'something else'],
    ['a number with a word in it', 'the code is 428x117', 'something else'],
    ['none', 'I see no code', 'something else'],
  ])('refused: %s', (_, typed, why) => {
    expect(() => typedCode(typed, digits)).toThrow(why)
  })

  test('refused: words of letters that could be a code by chance, in another case', () => {
    expect(() => typedCode('tell him zxcvbnmk', letters)).toThrow('something else')
  })
})

describe('anything else is refused with what is wrong, and is not quoted', () => {
  test.each([
    ['42811', digits, 'it has 6 digits, and this has 5'],
    ['42811711', digits, 'it has 6 digits, and this has 8'],
    ['', digits, 'this is empty'],
    [' \u200b-. ', digits, 'this is empty'],
    ['4281l7', digits, 'something else'],
    ['٤٢٨١١٧', digits, 'something else'],
    ['WDJB-MJH0', letters, 'it has 8 letters, and this has something else'],
    ['ab12cg', lower, 'it has 6 letters and digits, and'],
    ['428117'.repeat(2000), digits, 'far too long'],
    ['\ufdfa'.repeat(200), digits, 'far too long'],
  ])('%.20j', (typed, form, why) => {
    const error = fault(() => typedCode(typed, form))
    expect(error).toMatchObject({ code: 'secret_refused' })
    expect(error.message).toContain(why)
    if (typed.length > 4) expect(error.message).not.toContain(typed)
  })
})

function fault(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was taken')
}
