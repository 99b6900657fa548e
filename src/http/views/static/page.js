// Enhancements only: every page works without this file.

/** Lets people see the password they have typed. */
for (const input of document.querySelectorAll('label.field > input[type=password]')) {
  const label = input.parentElement
  const wrap = document.createElement('div')
  wrap.className = 'with-toggle'
  const toggle = document.createElement('button')
  toggle.type = 'button'
  toggle.className = 'toggle'
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password'
    toggle.textContent = isShown ? 'Hide' : 'Show'
    toggle.setAttribute('aria-label', isShown ? 'Hide password' : 'Show password')
  }
  toggle.addEventListener('click', () => show(input.type === 'password'))
  input.form?.addEventListener('submit', () => show(false)) // so that no browser offers it as a text field's value
  const hadFocus = document.activeElement === input
  label.replaceWith(wrap)
  wrap.append(label, toggle)
  show(false)
  if (hadFocus) input.focus()
}

/** A second click on a slow network must not send a form twice; coming back with the back button may. */
for (const form of document.querySelectorAll('form[method=post]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent === 'yes') event.preventDefault()
    form.dataset.sent = 'yes'
  })
  addEventListener('pageshow', () => delete form.dataset.sent)
}

/** A sign-in is to lead back to where it was asked for, down to the fragment, which no server ever sees. */
for (const form of document.querySelectorAll('form[data-keep-hash]')) {
  form.addEventListener('submit', () => {
    const target = form.elements.namedItem('rd')
    if (!target.value.includes('#')) target.value += location.hash
  })
}

/** A form that only carries an answer onwards (`response_mode=form_post`) goes at once. */
document.querySelector('form[data-submit=now]')?.requestSubmit()
