import { html } from 'hono/html'
import type { Html } from './html.ts'

/** A labelled input of a form. */
export interface FieldProps {
  readonly label: string
  readonly name: string
  /** Also the base of the ids of hint and error. Default: `name`. */
  readonly id?: string
  readonly type?: 'text' | 'email' | 'password' | 'textarea'
  readonly value?: string
  readonly autocomplete?: string
  readonly isRequired?: boolean
  readonly isFocused?: boolean
  readonly maxLength?: number
  /** Said below the input, always. */
  readonly hint?: string
  /** What is wrong with the value; the input is marked invalid. */
  readonly error?: string | undefined
}

/** `label.field > span + input`, hint and error tied to the input for assistive technology (WCAG 3.3.1, 3.3.2). */
export function field(props: FieldProps): Html {
  const { label, name, id = name, type = 'text', value = '', hint, error } = props
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`].filter(Boolean)
  const attributes = html`id="${id}" name="${name}"${optional('autocomplete', props.autocomplete)}${optional(
    'maxlength',
    props.maxLength,
  )}${optional('aria-describedby', described.length === 0 ? undefined : described.join(' '))}${
    error === undefined ? '' : html` aria-invalid="true"`
  }${props.isRequired ? html` required` : ''}${props.isFocused ? html` autofocus` : ''}`
  return html`<label class="field"><span>${label}</span>
${
  type === 'textarea'
    ? html`<textarea ${attributes}>${value}</textarea>`
    : html`<input type="${type}" value="${value}" ${attributes}>`
}
${hint === undefined ? '' : html`<span class="hint" id="${id}-hint">${hint}</span>`}
${error === undefined ? '' : html`<span class="error" id="${id}-error">${error}</span>`}</label>`
}

/** Fields a form carries unseen, such as its CSRF token. */
export function hiddenFields(values: Readonly<Record<string, string>>): Html {
  return html`${Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`
}

function optional(name: string, value: string | number | undefined): Html | string {
  return value === undefined ? '' : html` ${name}="${value}"`
}
