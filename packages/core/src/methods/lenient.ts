import { z } from 'zod'

/** A text of metadata; what is none is taken for absent, and spoils nothing beside it. */
export const text: z.ZodType<string | undefined> = z
  .string()
  .min(1)
  .max(2_048)
  .optional()
  .catch(undefined)

/** A list of texts, without what is none; what is no list is taken for absent. */
export const texts: z.ZodType<string[] | undefined> = z
  .array(z.unknown())
  .transform((list) => list.filter((one) => typeof one === 'string'))
  .optional()
  .catch(undefined)
