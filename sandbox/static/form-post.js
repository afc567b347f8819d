// Sends the answer to the application; without scripts the button does.
document.getElementById("answer").submit();
