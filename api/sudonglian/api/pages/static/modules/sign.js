// The page on which a firm signs a handoff: its key is opened here and never sent. What is sent is the signature.
const page = document.getElementById('sign-here');
const form = document.getElementById('signature-form');
const file = document.getElementById('keyfile');
const passphrase = document.getElementById('passphrase');
const button = document.getElementById('sign-now');
const bar = document.getElementById('sign-progress');

page.hidden = false;
for (const one of document.querySelectorAll('[data-without-script]')) one.open = false;

if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
  say('insecure');
  button.disabled = true;
}

file.addEventListener('change', async () => {
  say('');
  const known = page.dataset.keys.split(' ').filter(Boolean);
  const found = /"address"\s*:\s*"(?:0x)?([0-9a-fA-F]{40})"/.exec((await file.files[0]?.text()) ?? '');
  if (found && known.length && !known.includes(found[1].toLowerCase())) say('unregistered');
});

button.addEventListener('click', async () => {
  say('');
  const chosen = file.files[0];
  if (!chosen) return say('choose');
  if (chosen.size > 16_384) return say('keyfile');
  button.disabled = true;
  bar.hidden = false;
  let key = null;
  try {
    // Not before they are needed: the page itself stays small.
    const [{ opened }, { recordHash, signed }] = await Promise.all([import('./keystore.js'), import('./signature.js')]);
    const { record, role, counterparty, origin } = page.dataset;
    if (recordHash(document.getElementById('record-text').textContent) !== record) return say('record');
    key = await opened(await chosen.text(), passphrase.value, (part) => {
      bar.value = part;
    });
    const signedAt = Math.floor(Date.now() / 1000);
    const made = signed(key, { record, role, counterparty, origin, signedAt });
    document.getElementById('signature').value = JSON.stringify(made);
    passphrase.value = '';
    file.value = '';
    say('sending');
    form.requestSubmit();
  } catch (error) {
    say(error.code ?? 'broken');
  } finally {
    key?.fill(0);
    bar.hidden = true;
    button.disabled = false;
  }
});

/** Show one of the page's sentences, and hide the others. */
function say(name) {
  for (const one of page.querySelectorAll('[data-say]')) one.hidden = one.dataset.say !== name;
}
