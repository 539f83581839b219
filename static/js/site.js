// What every page needs: the strip of the rail scrolled to the current page on a phone.
document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
