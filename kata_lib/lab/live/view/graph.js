// The live graph in the browser: shows what the kernel drew, and tells it that it did. A hidden tab does neither.
export default {
  render({ model, el }) {
    el.classList.add("kata-graph");
    el.innerHTML = `<div class="graph" role="img"></div><div class="note" role="status"></div>
      <style>.kata-still-${model.get("still")} { display: none }</style>`;
    const [picture, note] = [el.querySelector(".graph"), el.querySelector(".note")];
    const hear = (frame) => {
      if (frame.type !== "graph") return;
      requestAnimationFrame(() => {
        if (frame.svg) {
          picture.innerHTML = frame.svg;
          picture.setAttribute("aria-label", frame.alt);
        }
        note.textContent = frame.note;
        el.dataset.frames = frame.number;
        model.send({ type: "drawn", number: frame.number });
      });
    };
    model.on("msg:custom", hear);
    model.send({ type: "shown" });
    return () => model.off("msg:custom", hear);
  },
};
