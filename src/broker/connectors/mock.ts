import { z } from 'zod'

/** `connectors[].config` of type `mockCallback`: none (dex connector/mock/connectortest.go). */
export const mockCallbackConfigSchema = z.strictObject({}).prefault({})

/** `connectors[].config` of type `mockPassword`. */
export const mockPasswordConfigSchema = z.strictObject({
  username: z.string().min(1, 'no username supplied'),
  password: z.string().min(1, 'no password supplied'),
})
