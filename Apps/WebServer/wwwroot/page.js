const ticks = new EventSource("events?count=1000");
ticks.onmessage = event => document.getElementById("tick").textContent = event.data;

const text = document.getElementById("text");
const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[^/]*$/, "echo"));
socket.onmessage = event => document.getElementById("answer").textContent = event.data;
text.addEventListener("change", () => socket.send(text.value));
