// plotly.js comes from the kernel's own package, once for the page.
function loadPlotly(model) {
  globalThis.kataPlotly ??= new Promise((resolve, reject) => {
    const late = setTimeout(() => fail(new Error("The kernel did not send plotly.js.")), 20000);
    const fail = (error) => {
      model.off("msg:custom", take);
      globalThis.kataPlotly = undefined;
      reject(error);
    };
    const take = async (message, buffers) => {
      if (message.type !== "script") return;
      clearTimeout(late);
      model.off("msg:custom", take);
      try {
        const unzipped = new Blob([buffers[0]]).stream().pipeThrough(new DecompressionStream("gzip"));
        const module = { exports: {} };
        new Function("module", "exports", await new Response(unzipped).text())(module, module.exports);
        resolve(module.exports);
      } catch (error) {
        fail(error);
      }
    };
    model.on("msg:custom", take);
    model.send({ type: "script" });
  });
  return globalThis.kataPlotly;
}
