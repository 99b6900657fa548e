import { openCookieStore } from '../../src/proxy/sessions/cookie.ts'
import { sessionStoreSuite } from './session-store.ts'

sessionStoreSuite('sessions in the cookie', ({ options }) => openCookieStore(options))
