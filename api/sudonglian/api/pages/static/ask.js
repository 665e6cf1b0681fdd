// Beside fields of a question, sliders for the same values: whoever moves one changes the other.
// docs/decisions/0860. Without this script the fields alone are there.

for (const range of document.querySelectorAll("input[type=range][data-for]")) {
  const field = document.getElementById(range.dataset.for);
  const unit = range.dataset.unit ?? "";
  const open = "open" in range.dataset; // the slider's end is no limit: an empty field
  const read = () => {
    const text = field.value.trim();
    const found = new RegExp(`^([0-9]{1,6})${unit ? `${unit}?` : ""}$`).exec(text);
    if (found) range.value = found[1];
    else if (!text) range.value = open ? range.max : range.min;
  };
  range.addEventListener("input", () => {
    const end = open ? range.value === range.max : range.dataset.empty === range.value;
    field.value = end ? "" : `${range.value}${unit}`;
  });
  field.addEventListener("input", read);
  read();
  range.hidden = false;
}
